"""The reference in Chromium: search, places, narrow screens, and without scripts."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def test_something_is_searched_for_and_found(visit: Visit) -> None:
    reader = visit()
    reader.open("/docs")
    reader.page.keyboard.press("/")
    reader.field("Search").press_sequentially("usernametaken 409")
    expect(reader.find("#found")).to_contain_text("found")
    expect(reader.find("#post_login_register")).to_be_visible()
    expect(reader.find("#get_health_alive")).to_be_hidden()
    expect(reader.find("#closings")).to_be_hidden()
    reader.field("Search").fill("no such thing anywhere")
    expect(reader.find("#found")).to_have_text("0 found")
    reader.page.evaluate("location.hash = 'BadToken'")  # a link into what a search hides
    expect(reader.find("#BadToken")).to_be_in_viewport()
    expect(reader.field("Search")).to_have_value("")


def test_a_frame_opens_at_its_place(visit: Visit) -> None:
    reader = visit(color_scheme="dark")
    reader.open("/docs#NewPost")
    expect(reader.find("#NewPost details")).to_have_attribute("open", "")
    expect(reader.find("#NewPost")).to_contain_text("postId")


def test_it_fits_a_narrow_screen(visit: Visit) -> None:
    reader = visit(viewport={"width": 320, "height": 640})
    reader.open("/docs")
    reader.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    wide = reader.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_without_scripts_it_is_a_plain_page(visit: Visit) -> None:
    reader = visit(java_script_enabled=False)
    reader.open("/docs")
    expect(reader.find("#search")).to_be_hidden()
    expect(reader.find("#post_room_create")).to_contain_text("BadOtherUsers")
    reader.find("#post_room_create .errors a").first.click()
    expect(reader.find("#BadJson")).to_be_in_viewport()
