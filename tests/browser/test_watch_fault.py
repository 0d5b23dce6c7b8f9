"""A live registration over a slow link, one that stalls, a restart of the server, and by "back" from the browser's cache."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ARGUMENTS, NAMES, Visit
from tests.browser.server import running_server
from tests.browser.slow_link import slow_link
from tests.browser.test_watch import DONE, begin
from tests.browser.visitor import Visitor
from tests.peer.required import find_program

LATENCY_SECONDS = 0.15
SOON_QUIET = """
const later = window.setTimeout;
window.setTimeout = (work, ms, ...more) => later(work, ms === 20_000 ? 500 : ms, ...more);
"""


def test_over_a_slow_link(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path) as server, slow_link(server.url, LATENCY_SECONDS) as link:
        ada = visit(link.url)
        begin(ada, "ada", "correct horse battery")
        ada.sees("#registration-name", "Hello, Ada King Lovelace!")
        ada.sees("#registration-state", DONE)
        expect(ada.find("#registration-log li")).to_have_count(8)
        ada.find("#registration-continue").click()
        ada.sees_live()


def test_a_link_that_stalls_shows_a_way_out(visit: Visit, tmp_path: Path) -> None:
    """No connection is lost, and nothing comes: what is shown must not look like progress for ever."""
    with running_server(tmp_path) as server, slow_link(server.url, 0) as link:
        edsger = visit(link.url)
        edsger.page.add_init_script(SOON_QUIET)
        begin(edsger, "edsger", "goto considered harmful")
        link.stall()
        edsger.sees("#registration-state", "Nothing has come for a while.")
        expect(edsger.find("#registration-again")).to_be_visible()
        link.heal()
        edsger.sees("#registration-name", "Hello, Edsger Dijkstra!")
        edsger.sees("#registration-state", DONE)
        expect(edsger.find("#registration-again")).to_be_hidden()


def test_the_server_is_started_again_meanwhile(visit: Visit, tmp_path: Path) -> None:
    """Who watches is told that it failed, and begins anew."""
    with running_server(tmp_path) as server:
        edsger = visit(server.url)
        with edsger.failing():
            begin(edsger, "edsger", "goto considered harmful")
            server.stop()
            edsger.sees("#registration-state", "The registration did not succeed.")
            server.start()
            edsger.page.get_by_role("button", name="Back to sign-in").click()
            edsger.sign_in("edsger", "goto considered harmful")
            edsger.sees("#registration-name", "Hello, Edsger Dijkstra!")
            edsger.sees("#registration-state", DONE)


@pytest.fixture(scope="module")
def remembering(browser: Browser) -> Iterator[Browser]:
    """A browser that keeps the page before, as those of people do; Playwright's own switch would forbid it."""
    path = os.environ.get("TEST_CHROMIUM") or find_program("chromium", *NAMES)
    kept = browser.browser_type.launch(
        executable_path=path, args=list(ARGUMENTS), ignore_default_args=["--disable-back-forward-cache"]
    )
    yield kept
    kept.close()


def test_back_shows_what_has_happened_meanwhile(remembering: Browser, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        alan = Visitor(remembering, server.url)
        with alan.failing("Page entered Back-Forward Cache"):
            begin(alan, "alan", "enigma bombe")
            alan.page.evaluate("() => { window.isTheSamePage = true; }")
            alan.open("/docs")
            alan.page.go_back(wait_until="commit")  # a page that was kept loads nothing
            assert alan.page.evaluate("() => window.isTheSamePage") is True  # it was not loaded anew
            alan.sees("#registration-state", DONE)
            expect(alan.find("#registration-log li")).to_have_count(8)
            alan.find("#registration-continue").click()
            alan.sees_live()
        assert alan.problems == []
        alan.close()
