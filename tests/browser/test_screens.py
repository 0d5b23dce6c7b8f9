"""Every screen of signing in and of one's own account, looked at by axe-core: three languages, light and dark, wide and narrow."""

from typing import Any

import httpx
import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.server import Server
from tests.browser.visitor import PASSWORD, Visitor

OUTSIDE = ("sign-in", "sign-up", "forgot", "code")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 320, "height": 640}
LOOKS = [
    ("en", "light", WIDE),
    ("fr", "dark", WIDE),
    ("ru", "light", PHONE),
    ("en", "dark", PHONE),
    ("fr", "light", PHONE),
    ("ru", "dark", WIDE),
]
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def assert_fine(visitor: Visitor, screen: str) -> None:
    assert violations(visitor.page) == [], screen
    assert visitor.page.evaluate(OVERFLOW) <= 0, screen


@pytest.mark.parametrize(("language", "scheme", "viewport"), LOOKS)
def test_who_is_not_signed_in(visit: Visit, language: str, scheme: str, viewport: dict[str, Any]) -> None:
    visitor = visit(color_scheme=scheme, viewport=viewport)
    for view in OUTSIDE:
        visitor.open(f"/?lang={language}#{view}")
        visitor.sees(f"#{view}-title")
        assert_fine(visitor, view)
        visitor.find(f"#{view} button.primary:visible").first.click()
        visitor.sees(f"#{view} .error:visible")
        assert_fine(visitor, f"{view}, with a fault")


@pytest.mark.parametrize(("language", "scheme", "viewport"), LOOKS)
def test_a_registration(visit: Visit, language: str, scheme: str, viewport: dict[str, Any]) -> None:
    visitor = visit(color_scheme=scheme, viewport=viewport)
    visitor.open(f"/?lang={language}")
    visitor.find("#sign-in-username").fill("donald")
    visitor.find("#sign-in-password").fill("volume four")
    visitor.page.keyboard.press("Enter")
    visitor.sees("#registration-log li >> nth=0")
    assert_fine(visitor, "registration")


@pytest.mark.parametrize(("language", "scheme", "viewport"), LOOKS)
def test_ones_own_account(visit: Visit, language: str, scheme: str, viewport: dict[str, Any]) -> None:
    visitor = visit(color_scheme=scheme, viewport=viewport)
    visitor.sign_up(f"screens-{language}-{scheme}")
    visitor.open(f"/?lang={language}#settings")
    visitor.sees("#settings-title")
    for number in range(visitor.find("#settings summary").count()):
        visitor.find("#settings summary").nth(number).click()
    visitor.find("#totp-begin").click()
    visitor.sees("#totp-confirm")
    visitor.find("#set-tokens-name").fill("backup")
    visitor.page.keyboard.press("Enter")
    visitor.sees("#new-token-text")
    assert_fine(visitor, "settings")
    visitor.find("#delete-account").click()
    visitor.sees("#confirm-title")
    assert_fine(visitor, "the question before deletion")


@pytest.mark.parametrize(("language", "scheme", "viewport"), LOOKS)
def test_the_second_step(
    visit: Visit, server: Server, language: str, scheme: str, viewport: dict[str, Any]
) -> None:
    name = f"second-{language}-{scheme}"
    owner = visit(color_scheme=scheme, viewport=viewport)
    owner.sign_up(name)
    headers = {"authorization": f"Bearer {owner.token()}"}
    secret = httpx.post(f"{server.url}/login/totp", headers=headers).json()["secret"]
    code = {"code": pyotp.TOTP(secret).now()}
    assert httpx.post(f"{server.url}/login/totp/confirm", headers=headers, json=code).status_code == 200
    for path, who, password in (
        (f"/?lang={language}", "#sign-in-username", "#sign-in-password"),
        (f"/plain?lang={language}", "#username", "#password"),
    ):
        visitor = visit(color_scheme=scheme, viewport=viewport)
        visitor.open(path)
        visitor.find(who).fill(name)
        visitor.find(password).fill(PASSWORD)
        visitor.page.keyboard.press("Enter")
        visitor.page.locator("input[name=code]:visible").fill("000000")
        assert_fine(visitor, f"{path}, the second step")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page.locator("[role=alert]:visible:not(:empty)")).to_be_visible()
        assert_fine(visitor, f"{path}, the second step with a wrong code")
