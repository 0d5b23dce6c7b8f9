"""A real Chromium in front of a started server.

The browser is the one of the system, or the one that TEST_CHROMIUM names. None is ever downloaded.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.server import Server, running_server
from tests.browser.visitor import Visitor
from tests.peer.required import find_program

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSECURE_HOST = "regserver.example"
"""Leads to this machine, and is none that browsers trust without TLS."""
ARGUMENTS = (
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1",
    "--no-sandbox",  # as root, and in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE_MS = 15_000

Visit = Callable[..., Visitor]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = os.environ.get("TEST_CHROMIUM") or find_program("chromium", *NAMES)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")  # each file may call its people as it likes
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Makes visitors of the shared server or another; at the end none of their pages may have had a problem."""
    visitors: list[Visitor] = []

    def make(url: str | None = None, **context: Any) -> Visitor:
        visitor = Visitor(browser, url or server.url, **context)
        visitors.append(visitor)
        return visitor

    yield make
    problems = [problem for visitor in visitors for problem in visitor.problems]
    for visitor in visitors:
        visitor.close()
    assert problems == []
