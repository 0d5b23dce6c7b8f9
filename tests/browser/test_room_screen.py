"""The screens of rooms: what axe-core finds on them, in light and dark, wide and at 320 px, and that nothing sticks out."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 320, "height": 640}
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOTS = Path(__file__).parents[2] / "build" / "screens"
SCREENS = [
    pytest.param(language, size, scheme, id=f"{language}-{name}-{scheme}")
    for language, scheme in (("en", "light"), ("fr", "dark"), ("ru", "light"), ("ru", "dark"))
    for name, size in (("wide", WIDE), ("phone", PHONE))
]


def _looked_at(visitor: Visitor, name: str) -> None:
    """Nothing is found, nothing sticks out; the picture is kept to be looked at."""
    visitor.page.screenshot(path=SHOTS / f"{name}.png")
    assert violations(visitor.page) == []
    assert visitor.page.evaluate(OVERFLOW) <= 0


@pytest.mark.parametrize(("language", "size", "scheme"), SCREENS)
def test_no_screen_of_rooms_has_a_fault(
    visit: Visit, request: pytest.FixtureRequest, language: str, size: dict[str, int], scheme: str
) -> None:
    shot = request.node.callspec.id
    name = f"screen-{shot}"
    one, other = visit(viewport=size, color_scheme=scheme, reduced_motion="reduce"), visit()
    one.sign_up(name)
    other.sign_up(f"other-{shot}")
    one.open(f"/?lang={language}")
    one.sees("#first-room")
    _looked_at(one, f"{shot}-empty")
    one.find("#first-room").click()
    one.find("#create-name").fill("Чай ☕ مرحبا")
    one.find("#create-people").fill(f"other-{shot}")
    one.page.keyboard.press("Enter")
    one.sees("#room-title", "Чай")
    other.enter("Чай ☕ مرحبا")
    other.post(
        f"Hello @{name}, see https://example.org/a_rather_long_address_without_any_place_to_break_it/index.html"
    )
    one.find("#compose-content").fill("مرحبا 👋\nsecond line")
    one.find("#compose button.primary").click()
    expect(one.find("#room-posts .post")).to_have_count(2)
    one.page.keyboard.press("ArrowUp")
    expect(one.find(".editing textarea")).to_be_focused()
    one.find(".editing textarea").fill("مرحبا 👋 edited")
    one.page.keyboard.press("Enter")
    one.sees("#room-posts .edited")
    one.find("#compose-content").fill("@other")
    one.find("#compose-content").press_sequentially("-")
    one.sees("#compose-names")
    _looked_at(one, f"{shot}-room")
    one.page.keyboard.press("Escape")
    one.find("#compose-content").fill("")
    one.page.keyboard.press("ArrowUp")
    _looked_at(one, f"{shot}-edit")
    one.page.keyboard.press("Escape")
    one.find("#people summary").click()
    one.sees("#rename")
    _looked_at(one, f"{shot}-people")
    one.page.keyboard.press("Escape")
    one.find("#search summary").click()
    one.find("#search-q").fill("hello")
    one.page.keyboard.press("Enter")
    one.sees("#search-results li")
    _looked_at(one, f"{shot}-search")
    one.page.keyboard.press("Escape")
    one.find("#invite summary").click()
    _looked_at(one, f"{shot}-invite")
