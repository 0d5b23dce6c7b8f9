"""What the page keeps: also where the browser denies it storage, and over a sleep of the machine."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit

DENY = """
Object.defineProperty(Navigator.prototype, "cookieEnabled", { get: () => false });
for (const name of ["sessionStorage", "localStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
}
"""


def test_it_works_where_storage_is_denied(visit: Visit) -> None:
    lena = visit()
    lena.page.add_init_script(DENY)
    lena.sign_up("lena")
    lena.create_room("Pantry")
    lena.post("flour")
    lena.sees_posts("flour")
    lena.page.reload()
    lena.sees("#sign-in")  # nothing is kept over a reload
    lena.sign_in("lise", "fission explained")
    lena.find("#registration-continue").click()
    lena.sees_live()


def test_after_a_sleep_the_socket_is_opened_anew(visit: Visit) -> None:
    """A connection that ended meanwhile looks open to the browser: here one that hears nothing any more."""
    nora, otto = visit(), visit()
    otto.page.clock.install()
    opened: list[str] = []

    def route(socket: Any) -> None:
        server = socket.connect_to_server()
        if not opened:
            server.on_message(lambda message: None)
        opened.append(socket.url)

    otto.page.route_web_socket("**/room/websocket*", route)
    nora.sign_up("nora")
    otto.sign_up("otto")
    nora.create_room("Dormitory", "otto")
    nora.post("are you there?")
    otto.page.clock.fast_forward("01:00")  # a hidden page, not a sleep
    expect(otto.find("#room-list a")).to_have_count(0)
    assert len(opened) == 1
    otto.page.clock.fast_forward("08:00:00")
    otto.enter("Dormitory")
    otto.sees_posts("are you there?")
    nora.post("good morning")
    otto.sees_posts("are you there?", "good morning")
    assert len(opened) == 2
