"""Watching a registration never hangs: without WebSockets, after a fault of the page, by "back", and in two tabs at once."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import running_server
from tests.browser.test_proxy import certificate, running_nginx
from tests.browser.visitor import Visitor

__all__ = ["certificate"]

DONE = "You are registered and signed in."
NO_SOCKETS = """
window.WebSocket = class extends EventTarget {
  constructor() { super(); this.readyState = 0; setTimeout(() => this.onclose?.({ code: 1006 })); }
  close() {}
};
"""


def begin(visitor: Visitor, name: str, password: str) -> None:
    visitor.open()
    visitor.sign_in(name, password)
    visitor.sees("#registration-log li >> nth=0")


def test_without_websockets_it_comes_as_a_stream(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        rosalind = visit(server.url)
        rosalind.page.add_init_script(NO_SOCKETS)
        begin(rosalind, "rosalind", "photograph 51")
        rosalind.sees("#registration-name", "Hello, Rosalind Franklin!")
        rosalind.sees("#registration-state", DONE)
        expect(rosalind.find("#registration-log li")).to_have_count(8)


def test_a_proxy_that_passes_no_websocket_on(
    visit: Visit, tmp_path: Path, certificate: tuple[str, str]
) -> None:
    with (
        running_server(tmp_path) as server,
        running_nginx(tmp_path, certificate, server.url, "proxy_buffering off;") as url,
    ):
        grace = visit(url, ignore_https_errors=True)
        with grace.failing("WebSocket"):
            begin(grace, "grace", "nanosecond wire")
            grace.sees("#registration-state", DONE)
        # The proxy says nothing of its TLS; the browser does.
        (name,) = [cookie["name"] for cookie in grace.cookies() if cookie["value"].startswith("regs_")]
        assert name == "__Host-regserver"


def test_a_fault_of_the_page_shows_the_way_out(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        edsger = visit(server.url)
        with edsger.failing():
            begin(edsger, "edsger", "goto considered harmful")
            edsger.page.evaluate("() => document.getElementById('registration-step').remove()")
            edsger.sees("#registration-state", "Something went wrong on this page.")
        edsger.problems.clear()  # the fault itself, which is reported as any other
        edsger.page.get_by_role("button", name="Back to sign-in").click()
        edsger.page.reload()
        edsger.sign_in("edsger", "goto considered harmful")
        edsger.sees("#registration-name", "Hello, Edsger Dijkstra!")


@pytest.mark.parametrize("kept", ["nonsense", "{}", '{"location": 5}', "null"])
def test_what_another_version_has_kept_is_no_registration(visit: Visit, kept: str) -> None:
    somebody = visit()
    somebody.open()
    somebody.page.evaluate("kept => sessionStorage.setItem('registration', kept)", kept)
    somebody.page.reload()
    somebody.sees("#sign-in-title")


def test_two_tabs_watch_the_same_one(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        alan = visit(server.url)
        begin(alan, "alan", "enigma bombe")
        other = visit(server.url, beside=alan)
        begin(other, "alan", "enigma bombe")
        for tab in (alan, other):
            tab.sees("#registration-state", DONE)
            tab.find("#registration-continue").click()
            tab.sees_live()
        listed: Any = alan.page.request.get(
            f"{server.url}/login/sessions", headers={"authorization": f"Bearer {alan.token()}"}
        ).json()
        assert len(listed["sessions"]) == 1


def test_a_clock_that_is_set_meanwhile(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        ada = visit(server.url)
        ada.page.add_init_script(
            "const now = Date.now; let n = 0; Date.now = () => now() - 86_400_000 * (n++ % 3);"
        )
        ada.open()
        ada.follow("#registration-left")
        ada.sign_in("ada", "correct horse battery")
        ada.sees("#registration-state", DONE)
        shown: list[str] = ada.page.evaluate("() => window.followed['#registration-left']")
        assert [text for text in shown if "hr" in text or "day" in text or "-" in text] == []
