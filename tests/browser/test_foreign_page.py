"""A page of another site, in a real browser: it changes nothing here."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser.server import Server, running_server

SIGN_UP = """async (url) => {
  const body = JSON.stringify({ username: "mallory", email: "m@example.org", password: "a long enough password" });
  const reply = await fetch(`${url}/login/register`, { method: "POST", mode: "no-cors", body: new Blob([body]) });
  return reply.type;
}"""
READ = """async (url) => {
  const wrong = { method: "POST", headers: { "Content-Type": "application/json", traceparent: "00-1-1-00" }, body: "{}" };
  const reply = await fetch(`${url}/login`, wrong);
  return [reply.status, (await reply.json()).error, reply.headers.get("X-Request-Id") !== null];
}"""


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another site</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def foreign() -> Iterator[str]:
    """A page of another site: `localhost` and `127.0.0.1` are two."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def sign_up(server: Server) -> int:
    body = {"username": "mallory", "email": "m@example.org", "password": "a long enough password"}
    return httpx.post(f"{server.url}/login/register", json=body).status_code


def test_it_signs_nobody_up(browser: Browser, server: Server, foreign: str) -> None:
    page = browser.new_page()
    page.goto(foreign)
    assert page.evaluate(SIGN_UP, server.url) == "opaque"  # it was sent; the page cannot see the answer
    page.close()
    assert sign_up(server) == 201


def test_a_listed_one_calls_the_server(browser: Browser, foreign: str, tmp_path: Path) -> None:
    with running_server(tmp_path, f"server.cors_origins={foreign}") as server:
        page = browser.new_page()
        page.goto(foreign)
        assert page.evaluate(READ, server.url) == [400, "BadJson", True]
        page.close()
