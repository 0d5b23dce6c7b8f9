"""Every screen of signing in and of one's own account, looked at by axe-core: three languages, light and dark, wide and narrow."""

from typing import Any

import pytest

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

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
