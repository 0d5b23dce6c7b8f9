"""Messages of the page after faults: limits, a full or slow source, cut connections."""

from pathlib import Path

from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.browser.server import running_server


def test_too_many_attempts(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "limits.enabled=true", "limits.routes.sign_in=1/1m") as server:
        visitor = visit(server.url)
        visitor.open()
        visitor.sign_in("ada", "wrong")
        visitor.sees("#sign-in-error", "The user name or password is wrong.")
        visitor.sign_in("ada", "wrong")
        visitor.sees("#sign-in-error", "Too many attempts. Please try again in ")


def test_a_source_that_is_full(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "live.max_running=1") as server:
        first, second = visit(server.url), visit(server.url)
        first.open()
        first.sign_in("donald", "volume four")
        first.sees("#registration")
        second.open()
        with second.failing("503"):
            second.sign_in("ada", "correct horse battery")
            second.sees("#sign-in-error", "Registrations cannot be taken right now. Please try again in ")


def test_a_registration_that_fails(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "live.deadline=1s") as server:
        visitor = visit(server.url)
        visitor.open()
        visitor.sign_in("alan", "enigma bombe")
        visitor.sees("#registration-state", "The registration did not succeed.")
        expect(visitor.find("#registration-log .failure")).to_have_count(1)
        visitor.page.get_by_role("button", name="Back to sign-in").click()
        visitor.page.reload()
        visitor.sees("#sign-in")


def test_a_registration_is_watched_on_after_a_cut(visit: Visit, tmp_path: Path) -> None:
    """The first socket is cut after three messages; the second tells them again, and none is shown twice."""
    sockets: list[WebSocketRoute] = []

    def through(route: WebSocketRoute) -> None:
        sockets.append(route)
        server = route.connect_to_server()
        heard: list[str | bytes] = []

        def pass_on(message: str | bytes) -> None:
            route.send(message)
            heard.append(message)
            if len(sockets) == 1 and len(heard) == 3:
                server.close()
                route.close(code=4000)

        server.on_message(pass_on)

    with running_server(tmp_path) as server:
        visitor = visit(server.url)
        visitor.page.route_web_socket("**/register/**", through)
        visitor.open()
        visitor.follow("#registration-state")
        visitor.follow("#registration-left")
        visitor.sign_in("edsger", "goto considered harmful")
        visitor.sees("#registration-name", "Hello, Edsger Dijkstra!")
        expect(visitor.find("#registration-log li")).to_have_count(8)
        assert visitor.saw("#registration-state", "Your registration goes on; trying again in ")
        assert visitor.saw("#registration-state", "Connected again.")
        assert visitor.saw("#registration-left", "left")
        assert len(sockets) == 2


def test_a_total_that_is_not_known(visit: Visit, tmp_path: Path) -> None:
    """The bar moves to and fro until the source says how many steps there are."""
    frame = '{"eventType": "INFORMATION", "step": %d, "totalSteps": %d, "message": "m", "additionalData": {}}'
    sockets: list[WebSocketRoute] = []
    with running_server(tmp_path) as server:
        visitor = visit(server.url)
        # Nobody but this test speaks on it.
        visitor.page.route_web_socket("**/register/**", lambda route: sockets.append(route))
        visitor.open()
        visitor.sign_in("alan", "enigma bombe")
        visitor.sees("#registration")
        while not sockets:  # the view is shown a moment before its socket is opened
            visitor.page.wait_for_timeout(20)
        bar = visitor.page.get_by_role("progressbar")
        expect(bar).to_have_js_property("position", -1)
        sockets[0].send(frame % (2, -1))
        visitor.sees("#registration-step", "Step 2")
        expect(bar).to_have_js_property("position", -1)
        sockets[0].send(frame % (3, 4))
        visitor.sees("#registration-step", "Step 3 of 4")
        expect(bar).to_have_js_property("position", 0.75)


def test_the_cursor_is_handed_back_after_a_cut(visit: Visit) -> None:
    """With recovery, the page says what it has heard last, and tells what came of it."""
    sockets: list[WebSocketRoute] = []
    resumed = '{"type": "Resumed", "cursor": "%s", "recovered": %s, "missed": %d}'
    visitor = visit()
    visitor.page.route_web_socket("**/room/websocket?**", lambda route: sockets.append(route))
    visitor.sign_up("resumer")
    visitor.waits_to_be_told()
    sockets[0].send(resumed % ("first", "true", 0))
    sockets[0].send('{"type": "RoomCreated", "creatorId": 4096, "roomId": 1, "cursor": "a b&c"}')
    visitor.sees("#notice", "created the room")
    sockets[0].close(code=4000)
    visitor.sees("#link-state", "Connection lost.")
    visitor.find("#link-retry").click()
    visitor.sees_live()
    assert "&since=a%20b%26c&" in sockets[1].url
    sockets[1].send(resumed % ("later", "true", 3))
    visitor.sees("#notice", "Nothing was lost; missed notices delivered: 3.")
