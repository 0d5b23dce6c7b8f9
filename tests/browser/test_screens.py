"""Every screen of signing in and of one's own account, looked at in three languages, light and dark, wide and narrow."""

import httpx
import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.look import LOOKS, assert_fine
from tests.browser.server import Server
from tests.browser.visitor import PASSWORD

OUTSIDE = ("sign-in", "sign-up", "forgot", "code")


@pytest.mark.parametrize("language", LOOKS)
def test_who_is_not_signed_in(visit: Visit, language: str) -> None:
    visitor = visit()
    for view in OUTSIDE:
        visitor.open(f"/?lang={language}#{view}")
        visitor.sees(f"#{view}-title")
        visitor.find(f"#{view} button.primary:visible").first.click()
        visitor.sees(f"#{view} .error:visible")
        assert_fine(visitor, language, f"{view}, with a fault")


def test_a_registration(visit: Visit) -> None:
    """Of somebody whose registration takes half a minute; it is gone on with in the next language."""
    visitor = visit()
    visitor.open()
    visitor.sign_in("donald", "volume four")
    for language in LOOKS:
        visitor.sees("#registration-log li >> nth=0")
        visitor.page.locator(f".languages a[lang={language}]").click()
        expect(visitor.find("html")).to_have_attribute("lang", language)
        visitor.sees("#registration-log li >> nth=0")
        assert_fine(visitor, language, "registration")


@pytest.mark.parametrize("language", LOOKS)
def test_ones_own_account(visit: Visit, language: str) -> None:
    visitor = visit()
    visitor.sign_up(f"screens-{language}")
    visitor.open(f"/?lang={language}#settings")
    visitor.sees("#settings-title")
    for number in range(visitor.find("#settings summary").count()):
        visitor.find("#settings summary").nth(number).click()
    visitor.find("#totp-begin").click()
    visitor.sees("#totp-confirm")
    visitor.find("#set-tokens-name").fill("backup")
    visitor.page.keyboard.press("Enter")
    visitor.sees("#new-token-text")
    assert_fine(visitor, language, "settings")
    visitor.find("#delete-account").click()
    visitor.sees("#confirm-title")
    assert_fine(visitor, language, "the question before deletion")


@pytest.mark.parametrize("language", LOOKS)
def test_the_second_step(visit: Visit, server: Server, language: str) -> None:
    name = f"second-{language}"
    owner = visit()
    owner.sign_up(name)
    headers = {"authorization": f"Bearer {owner.token()}"}
    secret = httpx.post(f"{server.url}/login/totp", headers=headers).json()["secret"]
    code = {"code": pyotp.TOTP(secret).now()}
    assert httpx.post(f"{server.url}/login/totp/confirm", headers=headers, json=code).status_code == 200
    for path, who, password in (
        (f"/?lang={language}", "#sign-in-username", "#sign-in-password"),
        (f"/plain?lang={language}", "#username", "#password"),
    ):
        visitor = visit()
        visitor.open(path)
        visitor.find(who).fill(name)
        visitor.find(password).fill(PASSWORD)
        visitor.page.keyboard.press("Enter")
        visitor.page.locator("input[name=code]:visible").fill("000000")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page.locator("[role=alert]:visible:not(:empty)")).to_be_visible()
        assert_fine(visitor, language, f"{path}, the second step with a wrong code")
