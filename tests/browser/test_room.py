"""Rooms between real browsers: each sees the actions of the others, also after a lost connection."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server, running_server
from tests.browser.visitor import PASSWORD, Visitor


def _two(visit: Visit, one: str, other: str, url: str | None = None) -> tuple[Visitor, Visitor]:
    """Two people, signed up and connected."""
    people = visit(url), visit(url)
    for visitor, name in zip(people, (one, other), strict=True):
        visitor.sign_up(name)
    return people


def test_two_people_talk(visit: Visit) -> None:
    anna, boris = _two(visit, "anna", "boris")
    anna.create_room("Tea", "boris")
    boris.sees("#notice", "anna created the room “Tea” with you.")
    anna.post("Hello, Boris")
    anna.post("Second line\nof <b>text</b> & 🎉")
    boris.sees("#room-list .badge", "2")
    expect(boris.page).to_have_title(re.compile(r"^\(2\) "))
    boris.enter("Tea")
    boris.sees_posts("Hello, Boris", "Second line\nof <b>text</b> & 🎉")
    expect(boris.find("#room-list .badge")).to_have_count(0)
    boris.post("Привет")
    anna.sees_posts("Hello, Boris", "Second line\nof <b>text</b> & 🎉", "Привет")

    boris.page.reload()  # the room is in the address, what was read stays read
    boris.sees_posts("Hello, Boris", "Second line\nof <b>text</b> & 🎉", "Привет")
    expect(boris.find("#room-list .badge")).to_have_count(0)


def test_who_joins_and_leaves_is_told(visit: Visit) -> None:
    clara, dora = _two(visit, "clara", "dora")
    clara.create_room("Garden")
    clara.invite("nobody-of-that-name")
    clara.sees("#invite .error", "There is no user called “nobody-of-that-name”.")
    clara.field("People to invite").fill("Dora")
    clara.page.keyboard.press("Enter")
    clara.sees("#room-members", "clara and dora")
    dora.sees("#notice", "clara invited you to “Garden”.")

    emil = visit()
    emil.sign_up("emil")
    dora.enter("Garden")
    dora.invite("emil")
    clara.sees("#room-posts", "dora invited emil.")
    clara.sees("#room-members", "clara, dora and emil")

    dora.find("#people summary").click()
    dora.find("#room-leave").click()
    dora.page.get_by_role("dialog").get_by_role("button", name="Leave room").click()
    dora.sees("#no-rooms")
    clara.sees("#room-posts", "dora left the room.")
    emil.sees_live()
    emil.open_settings("Your data")
    emil.find("#delete-account").click()
    emil.find("#confirm-yes").click()
    clara.sees("#room-posts", "emil left and deleted the account.")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that may be ended."""
    with running_server(tmp_path) as server:
        yield server


def test_a_lost_connection_is_told_and_nothing_is_missed(visit: Visit, own_server: Server) -> None:
    fred, gina = _two(visit, "fred", "gina", own_server.url)
    hanna = visit(own_server.url)
    hanna.sign_up("hanna")
    fred.create_room("Harbour", "gina")
    gina.enter("Harbour")
    with fred.failing(), gina.failing(), hanna.failing():
        own_server.stop()
        gina.sees("#link-state", "Connection lost. Trying again in")
        gina.go_offline()
        own_server.start()
        gina.field("Your post").fill("written while away")
        gina.page.keyboard.press("Enter")
        gina.sees("#room-waiting", "Waits for the connection; it is sent by itself.")
        expect(gina.field("Your post")).to_have_value("")
        with contextlib.suppress(PlaywrightTimeout):  # unless he has come back by himself meanwhile
            fred.find("#link-retry").click(timeout=2000)
        fred.sees_live()
        fred.post("while gina was away")
        fred.invite("hanna")
        fred.sees("#room-posts .note", "Invited: hanna.")  # until then it might still come after she is back
        gina.go_online()
        gina.sees_live()
        hanna.sees_live()
    # The third is her own post, where that got out before her socket was back.
    expect(gina.find("#notice")).to_have_text(re.compile("Nothing was lost; missed notices delivered: [23]."))
    gina.sees("#room-posts .note", "fred invited hanna.")
    gina.sees_posts("while gina was away", "written while away")
    expect(gina.find("#room-waiting li")).to_have_count(0)
    fred.sees_posts("while gina was away", "written while away")


def test_a_burst_arrives_whole_and_in_order(visit: Visit) -> None:
    jana, karl = _two(visit, "jana", "karl")
    outside = visit()
    outside.sign_up("lars")
    jana.create_room("Burst", "karl, lars")
    outside.sees("#room-list", "Burst")
    karl.enter("Burst")
    contents = [f"post {number}" for number in range(80)]
    jana.post_directly(*contents)
    karl.sees_posts(*contents)
    outside.sees("#room-list .badge", "unread: 80")
    karl.page.reload()
    karl.sees_posts(*contents[30:])
    expect(karl.find("#room-list .badge")).to_have_count(0)


def test_a_long_room_is_read_page_by_page(visit: Visit) -> None:
    hugo = visit()
    hugo.sign_up("hugo")
    hugo.create_room("Archive")
    hugo.post_directly(*(f"post {number}" for number in range(120)))
    hugo.page.reload()
    hugo.sees_posts(*(f"post {number}" for number in range(70, 120)))
    hugo.find("#room-log").hover()
    hugo.page.mouse.wheel(0, -100_000)  # what is older is loaded as one comes near
    hugo.sees_posts(*(f"post {number}" for number in range(20, 120)))
    hugo.page.mouse.wheel(0, -100_000)
    hugo.sees_posts(*(f"post {number}" for number in range(120)))
    expect(hugo.find("#room-earlier")).to_be_hidden()
    expect(hugo.find("#room-posts .day")).to_have_count(1)


TOPMOST = """log => {
    const top = log.getBoundingClientRect().top;
    const post = [...log.querySelectorAll(".post")].find((one) => one.getBoundingClientRect().top > top);
    return [post.id, Math.round(post.getBoundingClientRect().top)];
}"""
IS_DRAWN = "post => post.checkVisibility({ contentVisibilityAuto: true })"


def test_what_is_read_stays_in_its_place_while_older_posts_come_and_go(visit: Visit) -> None:
    irma = visit()
    irma.sign_up("irma")
    irma.create_room("Shelf")
    irma.post_directly(*("\n".join([f"post {number}"] * (1 + number % 4)) for number in range(90)))
    irma.page.reload()
    posts, log = irma.find("#room-posts .post"), irma.find("#room-log")
    expect(posts).to_have_count(50)
    expect(posts.last).to_be_in_viewport()
    log.evaluate("log => { log.scrollTop = 150; }")  # near enough
    seen = log.evaluate(TOPMOST)
    expect(posts).to_have_count(90)
    assert log.evaluate(TOPMOST) == seen
    assert not posts.first.evaluate(IS_DRAWN)  # what is far away costs nothing
    assert irma.find(f"#{seen[0]}").evaluate(IS_DRAWN)

    ids = posts.evaluate_all("posts => posts.map(({ dataset }) => dataset.id)")
    for gone in ids[:40]:  # whole groups of them
        irma.ask(f"/room/delete/{gone}", {})
    expect(posts).to_have_count(50)
    assert posts.evaluate_all("posts => posts.map(({ dataset }) => dataset.id)") == ids[40:]
    expect(irma.find("#room-posts .day")).to_have_count(1)
    expect(posts.first.locator(".day")).to_be_visible()


def test_a_session_that_was_ended_elsewhere_is_told(visit: Visit, server: Server) -> None:
    ivan, elsewhere = visit(), visit()
    ivan.sign_up("ivan")
    elsewhere.open()
    elsewhere.sign_in("ivan", PASSWORD)
    elsewhere.sees_live()
    answer = elsewhere.page.request.delete(
        f"{server.url}/login/token?all=true", headers={"authorization": f"Bearer {elsewhere.token()}"}
    )
    assert answer.status == 204
    for visitor in (ivan, elsewhere):
        visitor.sees("#notice", "Your session has ended.")
        visitor.sees("#sign-in")
