"""Finding the way in a room: a search leads to a post's place in the history, and the list says where one is meant."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor


def shows(visitor: Visitor, first: str, last: str) -> None:
    """The first and the last post of the log."""
    expect(visitor.find("#room-posts .content").first).to_have_text(first)
    expect(visitor.find("#room-posts .content").last).to_have_text(last)


def test_a_search_leads_to_a_posts_place(visit: Visit) -> None:
    nadia, other = visit(), visit()
    nadia.sign_up("nadia")
    other.sign_up("librarian")
    nadia.create_room("Library", "librarian")
    nadia.post_directly(*(f"page {number}" for number in range(150)))
    nadia.page.reload()
    shows(nadia, "page 100", "page 149")
    nadia.find("#search summary").click()
    nadia.find("#search-q").fill("page 40")
    nadia.page.keyboard.press("Enter")
    nadia.page.get_by_role("button", name="page 40").click()
    expect(nadia.find("#room-posts .led .content")).to_have_text("page 40")
    expect(nadia.find(".led")).to_be_focused()
    expect(nadia.find(".led .content")).to_be_in_viewport()
    expect(nadia.find("#search-q")).to_be_hidden()
    shows(nadia, "page 16", "page 65")

    other.enter("Library")
    other.post("something new")  # it is told, and not put behind what is not the newest
    nadia.sees("#room-below", "New posts below: 1")
    shows(nadia, "page 16", "page 65")

    nadia.find("#room-log").hover()
    for last in ("page 115", "something new"):  # one reads on
        nadia.page.mouse.wheel(0, 100_000)
        expect(nadia.find("#room-posts .content").last).to_have_text(last)
    expect(nadia.find("#room-later")).to_be_hidden()
    expect(nadia.find("#room-posts .post")).to_have_count(135)
    other.post("and more")
    expect(nadia.find("#room-posts .content").last).to_have_text("and more")


def test_from_an_old_post_a_button_leads_to_the_newest(visit: Visit) -> None:
    pia = visit()
    pia.sign_up("pia")
    pia.create_room("Attic")
    pia.post_directly(*(f"box {number}" for number in range(90)))
    pia.page.reload()
    shows(pia, "box 40", "box 89")
    pia.find("#search summary").click()
    pia.find("#search-q").fill("box 3")
    pia.page.keyboard.press("Enter")
    pia.page.get_by_role("button", name="box 3").last.click()
    shows(pia, "box 0", "box 28")
    pia.page.get_by_role("button", name="To the newest posts").click()
    shows(pia, "box 40", "box 89")
    expect(pia.find("#room-posts .content").last).to_be_in_viewport()
    expect(pia.find("#room-below")).to_be_hidden()
    pia.find("#search summary").click()
    pia.page.get_by_role("button", name="box 3").last.click()
    shows(pia, "box 0", "box 28")
    pia.post("one more box")  # who writes is led to what was written
    expect(pia.find("#room-posts .content").last).to_have_text("one more box")


def test_the_list_says_where_one_is_meant(visit: Visit) -> None:
    zoe, yuri = visit(), visit()
    zoe.sign_up("zoe")
    yuri.sign_up("yuri")
    yuri.create_room("Calls", "zoe")
    zoe.sees("#room-list", "Calls")
    yuri.post("hello everybody, @zoey as well")
    zoe.sees("#room-list .badge", "unread: 1")
    expect(zoe.find("#room-list .badge.named")).to_have_count(0)
    yuri.post("@Zoe, are you there?")
    zoe.sees("#room-list .badge.named", "@ 2")
    zoe.sees("#room-list .badge.named", "unread: 2, and your name is among them")
    zoe.page.reload()  # it is looked up
    zoe.sees("#room-list .badge.named", "unread: 2, and your name is among them")
    zoe.enter("Calls")
    expect(zoe.find("#room-list .badge")).to_have_count(0)
    zoe.create_room("Elsewhere")
    yuri.post("nothing of importance")
    zoe.sees("#room-list .badge", "unread: 1")
    expect(zoe.find("#room-list .badge.named")).to_have_count(0)
