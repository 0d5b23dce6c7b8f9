"""The screens of rooms, looked at in three languages, light and dark, wide and narrow."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.look import LOOKS, assert_fine


@pytest.mark.parametrize("language", LOOKS)
def test_no_screen_of_rooms_has_a_fault(visit: Visit, language: str) -> None:
    name = f"screen-{language}"
    one, other = visit(reduced_motion="reduce"), visit()
    one.sign_up(name)
    other.sign_up(f"other-{language}")
    one.open(f"/?lang={language}")
    one.sees("#first-room")
    assert_fine(one, language, "empty")
    one.find("#first-room").click()
    one.find("#create-name").fill("Чай ☕ مرحبا")
    one.find("#create-people").fill(f"other-{language}")
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
    assert_fine(one, language, "room")
    one.page.keyboard.press("Escape")
    one.find("#compose-content").fill("")
    one.page.keyboard.press("ArrowUp")
    assert_fine(one, language, "edit")
    one.page.keyboard.press("Escape")
    one.find("#people summary").click()
    one.sees("#rename")
    assert_fine(one, language, "people")
    one.page.keyboard.press("Escape")
    one.find("#search summary").click()
    one.find("#search-q").fill("hello")
    one.page.keyboard.press("Enter")
    one.sees("#search-results li")
    assert_fine(one, language, "search")
    one.page.keyboard.press("Escape")
    one.find("#invite summary").click()
    assert_fine(one, language, "invite")
