"""What rooms have beside posts: search, owners, suggested names, marks on all devices, notifications; and the first minute."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server, running_server
from tests.browser.visitor import PASSWORD


def test_posts_are_found(visit: Visit) -> None:
    adam = visit()
    adam.sign_up("adam")
    adam.create_room("Finding")
    adam.post_directly("Чай готов", *(f"cup {number}" for number in range(60)))
    adam.find("#search summary").press("Enter")
    expect(adam.find("#search-q")).to_be_focused()
    adam.page.keyboard.type("ЧАЙ")
    adam.page.keyboard.press("Enter")
    adam.sees("#search-state", "Found: 1.")
    adam.sees("#search-results", "Чай готов")
    adam.find("#search-q").fill("cup")
    adam.page.keyboard.press("Enter")
    adam.sees("#search-state", "Found so far: 50.")
    adam.find("#search-more").click()
    adam.sees("#search-state", "Found: 60.")
    expect(adam.find("#search-results li")).to_have_count(60)


def test_the_owner_renames_a_room_and_removes_somebody(visit: Visit) -> None:
    bela, cora = visit(), visit()
    bela.sign_up("bela")
    cora.sign_up("cora")
    bela.create_room("Before", "cora")
    cora.enter("Before")
    cora.find("#people summary").click()
    cora.sees("#people-list", "bela (owner)")
    expect(cora.find("#rename, #people-list button").filter(visible=True)).to_have_count(0)
    cora.page.keyboard.press("Escape")

    bela.find("#people summary").click()
    bela.field("Name of the room").fill("After")
    bela.page.keyboard.press("Enter")
    expect(cora.find("#room-title")).to_have_text("After")
    cora.sees("#room-posts", "bela renamed the room to “After”.")
    cora.sees("#room-list", "After")

    bela.find("#people summary").click()
    bela.page.get_by_role("button", name="Remove: cora").click()
    bela.find("#confirm-yes").click()
    cora.sees("#notice", "You are no longer in “After”.")
    expect(cora.find("#room")).to_be_hidden()
    bela.sees("#room-posts", "cora left the room.")
    expect(bela.find("#people-list li")).to_have_count(1)


def test_marks_agree_on_all_devices(visit: Visit) -> None:
    dina, emma, device = visit(), visit(), visit()
    dina.sign_up("dina")
    emma.sign_up("emma")
    device.open()
    device.sign_in("emma", PASSWORD)
    device.sees_live()
    dina.create_room("Marks", "emma")
    dina.post("unread")
    device.sees("#room-list .badge", "1")
    emma.enter("Marks")
    emma.sees_posts("unread")
    expect(device.find("#room-list .badge")).to_have_count(0)


@pytest.fixture(scope="module")
def suggesting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("suggesting"), "rooms.suggest=all") as server:
        yield server


def test_people_are_suggested_where_the_operator_lets_them(visit: Visit, suggesting: Server) -> None:
    finn, greta = visit(suggesting.url), visit(suggesting.url)
    greta.sign_up("greta")
    finn.sign_up("finn")
    finn.find("#create summary").click()
    finn.field("People to invite").press_sequentially("GRE")
    expect(finn.page.get_by_role("option", name="greta")).to_be_visible()
    finn.page.keyboard.press("Enter")
    expect(finn.field("People to invite")).to_have_value("greta, ")
    finn.page.keyboard.press("Enter")
    greta.sees("#notice", "finn created the room")


def test_nobody_is_suggested_by_default(visit: Visit) -> None:
    hilda, ines = visit(), visit()
    ines.sign_up("ines")
    hilda.sign_up("hilda")
    asked: list[str] = []
    hilda.page.on(
        "request", lambda request: asked.append(request.url) if "/room/people" in request.url else None
    )
    hilda.find("#create summary").click()
    hilda.field("People to invite").press_sequentially("ines", delay=100)
    expect(hilda.page.get_by_role("option")).to_have_count(0)
    assert len(asked) <= 2


HIDDEN = """() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    window.shown = [];
    window.Notification = class extends EventTarget {
        static permission = "granted";
        constructor(title, { body }) { super(); window.shown.push(`${title}: ${body}`); }
    };
}"""


def test_the_browser_notifies_of_rooms_that_are_not_muted(visit: Visit) -> None:
    jan, kira = visit(), visit()
    jan.sign_up("jan")
    kira.sign_up("kira")
    jan.create_room("Loud", "kira")
    jan.create_room("Quiet", "kira")
    kira.enter("Quiet")
    kira.find("#people summary").click()
    kira.find("#room-mute").click()
    expect(kira.find("#room-mute")).to_have_attribute("aria-pressed", "true")
    kira.page.reload()
    kira.find("#people summary").click()
    expect(kira.find("#room-mute")).to_have_attribute("aria-pressed", "true")
    kira.page.evaluate(HIDDEN)
    jan.post("not told")
    jan.enter("Loud")
    jan.post("told")
    kira.page.wait_for_function("() => window.shown.length > 0")
    assert kira.page.evaluate("() => window.shown") == ["Loud: jan: told"]


def test_the_first_minute(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "server.test_mode=true", "server.mailbox=true") as server:
        newcomer = visit(server.url)
        newcomer.open()
        newcomer.sees("#sign-in", "sign in as ada with “correct horse battery”")
        newcomer.sees("#mailbox")
        newcomer.sign_up("newcomer")
        newcomer.sees("#no-rooms", "You are in no room yet.")
        newcomer.sees("#no-rooms", "open this page in a private window")
        newcomer.page.get_by_role("button", name="Create your first room").press("Enter")
        expect(newcomer.field("Name (optional)")).to_be_focused()
