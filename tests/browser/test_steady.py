"""Rooms under what happens to people: a notice, a wrong clock, a slow link, a restart, two tabs, and no mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Route, WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.browser.server import Server, running_server
from tests.browser.slow_link import slow_link

DAY_MS = 86_400_000
LATENCY_SECONDS = 0.05
WATCH_SHIFTS = """() => {
    window.shifts = [];
    const moved = ({ node }) => (node?.closest ? node : node?.parentElement)?.closest(".notices") ? [] : [node?.id || node?.nodeName];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().flatMap(({ sources }) => sources.flatMap(moved))))
        .observe({ type: "layout-shift" });
}"""
# Of the notice itself the words may change while it is shown.
NO_PAUSE_ENDS = "() => { const real = setTimeout; globalThis.setTimeout = (run, ms) => real(run, (ms ?? 0) < 1000 ? ms : 1e6); }"
WATCH_POSTS = """() => {
    window.stories = [];
    const told = () => [...document.querySelectorAll("#room-posts .content")].map((element) => element.textContent);
    new MutationObserver(() => {
        const story = told();
        if (String(story) !== String(window.stories.at(-1) ?? ["stays", "in other words", "new"])) window.stories.push(story);
    }).observe(document.querySelector("#room-posts"), { childList: true, subtree: true, characterData: true });
}"""
SHIFTS = """async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    return window.shifts;
}"""
SET_CLOCK = """
const Right = Date;
globalThis.Date = class extends Right {
  constructor(...given) { super(...(given.length ? given : [Right.now() + (AHEAD)])); }
  static now() { return Right.now() + (AHEAD); }
};
"""


@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_moves_when_a_notice_comes(visit: Visit, width: int) -> None:
    sockets: list[WebSocketRoute] = []

    def through(route: WebSocketRoute) -> None:
        sockets.append(route)
        route.connect_to_server()

    reader = visit(viewport={"width": width, "height": 640})
    reader.page.route_web_socket("**/room/websocket?**", through)
    reader.sign_up(f"still{width}")
    reader.create_room("Pond")
    reader.post("first")
    reader.sees_posts("first")
    reader.find("#room-title").focus()
    reader.waits_to_be_told()
    sockets[0].close(code=4000)
    reader.sees("#link-state", "Connection lost.")
    reader.page.evaluate(WATCH_SHIFTS)
    place = reader.find("#room").bounding_box()
    before = len(sockets)
    reader.find("#link-retry").press("Enter")
    reader.sees("#notice", "Nothing was lost")
    assert len(sockets) == before + 1
    if width > 1000:  # on a phone the words about the lost connection have a line of their own
        assert reader.page.evaluate(SHIFTS) == []
        assert reader.find("#room").bounding_box() == place
    steady = reader.find("#room").bounding_box()
    reader.find("#notice-close").click()
    expect(reader.find("#notice")).to_be_hidden()
    assert reader.find("#room").bounding_box() == steady


@pytest.mark.parametrize("ahead", [DAY_MS, -DAY_MS], ids=["ahead", "behind"])
def test_a_clock_that_is_wrong_by_a_day(visit: Visit, ahead: int) -> None:
    wrong, right = visit(), visit()
    wrong.page.add_init_script(SET_CLOCK.replace("AHEAD", str(ahead)))
    names = ("early", "late") if ahead > 0 else ("delayed", "punctual")
    wrong.sign_up(names[0])
    right.sign_up(names[1])
    wrong.create_room("Clocks", names[1])
    right.enter("Clocks")
    wrong.post("by a wrong clock")
    wrong.sees_posts("by a wrong clock")
    right.post("by the right one")
    for _ in ("live", "loaded"):
        wrong.sees_posts("by a wrong clock", "by the right one")
        expect(wrong.find("#room-posts .day")).to_have_text(["today"])
        wrong.page.reload()
    wrong.sees_live()


def test_a_slow_link_and_one_that_stalls(visit: Visit, server: Server) -> None:
    with slow_link(server.url, LATENCY_SECONDS) as link:
        far, near = visit(link.url), visit()
        far.sign_up("faraway")
        near.sign_up("nearby")
        near.create_room("Distance", "faraway")
        far.enter("Distance")
        near.post("hello")
        far.sees_posts("hello")
        link.stall()
        far.post("held up")
        far.sees("#room-waiting", "Sending")
        near.post("meanwhile")
        link.heal()
        expect(far.find("#room-waiting li")).to_have_count(0)
        far.find("#room-posts").get_by_text("held up").wait_for()
        near.find("#room-posts").get_by_text("held up").wait_for()
        assert far.find("#room-posts .content").all_text_contents() == (
            near.find("#room-posts .content").all_text_contents()
        )
        expect(far.find("#room-posts .post")).to_have_count(3)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that may be ended."""
    with running_server(tmp_path) as server:
        yield server


def test_a_restart_under_an_open_room(visit: Visit, own_server: Server) -> None:
    """Both are back by themselves; nothing is missed, nothing is there twice."""
    wanda, xaver = visit(own_server.url), visit(own_server.url)
    wanda.sign_up("wanda")
    xaver.sign_up("xaver")
    wanda.create_room("Harbour", "xaver")
    xaver.enter("Harbour")
    wanda.post("before")
    xaver.sees_posts("before")
    for person in (wanda, xaver):
        person.tries_soon()
    with wanda.failing(), xaver.failing():
        own_server.stop()
        wanda.sees("#link-state", "Connection lost.")
        wanda.post("meanwhile")
        wanda.sees("#room-waiting", "Waits for the connection; it is sent by itself.")
        own_server.start()
        wanda.sees_live()
        xaver.sees_live()
        xaver.sees_posts("before", "meanwhile")
    xaver.post("after")
    for person in (wanda, xaver):
        person.sees_posts("before", "meanwhile", "after")
        expect(person.find("#room-waiting li")).to_have_count(0)


def test_what_comes_while_posts_are_asked_for(visit: Visit) -> None:
    """The answer is older than what came meanwhile: no new post goes, no old words and no deleted post come back."""
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        answer = route.fetch()
        held.append((route, answer))
        if len(held) > 1:
            route.fulfill(response=answer)

    writer, reader = visit(), visit()
    writer.sign_up("swift")
    reader.sign_up("sluggish")
    writer.create_room("Rapids", "sluggish")
    reader.enter("Rapids")
    for content in ("stays", "edited", "deleted"):
        writer.post(content)
    reader.sees_posts("stays", "edited", "deleted")
    posts = reader.find("#room-posts .post").evaluate_all("all => all.map(({ dataset }) => dataset.id)")
    reader.page.route("**/room/readAll/*?limit=50", hold)
    reader.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    while not held:
        reader.page.wait_for_timeout(20)
    writer.ask(f"/room/edit/{posts[1]}", {"content": "in other words"})
    writer.post("new")
    reader.sees_posts("stays", "in other words", "deleted", "new")
    writer.ask(f"/room/delete/{posts[2]}", {})
    reader.sees_posts("stays", "in other words", "new")
    reader.page.evaluate(WATCH_POSTS)
    route, answer = held[0]
    route.fulfill(response=answer)
    while len(held) < 2:  # the answer was looked at, and asked for again
        reader.page.wait_for_timeout(20)
    reader.page.unroute_all(behavior="wait")
    writer.post("last")
    reader.sees_posts("stays", "in other words", "new", "last")
    assert reader.page.evaluate("() => window.stories") == [["stays", "in other words", "new", "last"]]


def test_a_post_that_fails_after_the_connection_is_back_is_sent_at_once(visit: Visit) -> None:
    sockets: list[WebSocketRoute] = []
    held: list[Route] = []

    def through(route: WebSocketRoute) -> None:
        sockets.append(route)
        route.connect_to_server()

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        held.append(route)

    writer = visit()
    writer.page.route_web_socket("**/room/websocket?**", through)
    writer.sign_up("hasty")
    writer.create_room("Return")
    writer.page.route("**/room/post/*", hold)
    writer.page.evaluate(NO_PAUSE_ENDS)
    writer.post("on its way")
    writer.sees("#room-waiting", "Sending")
    sockets[0].close(code=4000)
    writer.find("#link-retry").press("Enter")
    writer.sees("#notice", "Nothing was lost")
    with writer.failing():
        held[0].abort()
        writer.sees_posts("on its way")
    assert len(held) == 2


def test_two_tabs_of_one_session(visit: Visit) -> None:
    one = visit()
    other = visit(beside=one)
    one.sign_up("twofold")
    one.create_room("Tabs")
    other.open(one.page.url.removeprefix(one.url))
    other.sees("#room-title", "Tabs")
    one.post("from the one")
    other.sees_posts("from the one")
    other.post("from the other")
    for tab in (one, other):
        tab.sees_posts("from the one", "from the other")
    other.sign_out()
    one.sees("#notice", "You are signed out.")
    one.sees("#sign-in-title")
    expect(one.find("#room-posts .post")).to_have_count(0)  # whoever comes next finds nothing


def test_muting_and_removing_by_the_keyboard_alone(visit: Visit) -> None:
    owner, guest = visit(), visit()
    owner.sign_up("keyboarder")
    guest.sign_up("removed")
    owner.create_room("Keys", "removed")
    guest.sees("#room-list", "Keys")
    press = owner.page.keyboard.press
    owner.reach("#people > summary")
    press("Enter")
    owner.sees("#people-list", "removed")
    owner.reach("#people-list button")
    press("Enter")
    owner.sees("#confirm-title", "Remove removed from")
    owner.reach("#confirm-yes")
    press("Enter")
    expect(owner.find("#people-list li")).to_have_count(1)
    guest.sees("#notice", "You are no longer in “Keys”.")
    expect(owner.find("#people > summary")).to_be_focused()
    owner.reach("#room-mute")
    press("Space")
    expect(owner.find("#room-mute")).to_have_attribute("aria-pressed", "true")
    expect(owner.find("#room-mute")).to_be_focused()
    press("Escape")
    expect(owner.find("#people > summary")).to_be_focused()
    expect(owner.find("#room-mute")).to_be_hidden()
