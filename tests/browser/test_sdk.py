"""The JavaScript client in Chromium, behind nginx, with a server that is ended and started again under it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visit
from tests.browser.server import Server, running_server
from tests.browser.test_proxy import UPGRADE, running_nginx
from tests.browser.visitor import PASSWORD, Visitor
from tests.serving.conftest import certificate

__all__ = ["certificate"]

BEGIN = """
async ([name, password]) => {
  const { Regserver } = await import(new URL("sdk.js", document.baseURI).href);
  const server = window.server = new Regserver();
  await server.account.register({ username: name, email: `${name}@example.org`, password });
  window.heard = [];
  window.states = [];
  (async () => {
    for await (const event of server.rooms.listen({ state: (now) => window.states.push(now) })) window.heard.push(event);
  })();
  Math.random = () => -1.4; // pauses are a twentieth
}
"""
REGISTRATION = """
async () => {
  const { registration } = await window.server.signIn("hedy", "frequency hopping");
  const types = [];
  for await (const { eventType } of registration) types.push(eventType);
  return types;
}
"""


@pytest.fixture
def proxied(tmp_path: Path, certificate: tuple[str, str]) -> Iterator[tuple[Server, str]]:
    """The server, and the address of the proxy in front of it."""
    with running_server(tmp_path) as server, running_nginx(tmp_path, certificate, server.url, UPGRADE) as url:
        yield server, url


def wait_heard(visitor: Visitor, count: int) -> list[dict[str, Any]]:
    """Everything that it heard, once it is so much."""
    visitor.page.wait_for_function("count => window.heard.length >= count", arg=count)
    heard: list[dict[str, Any]] = visitor.page.evaluate("window.heard")
    return heard


def test_it_hears_everything_once(visit: Visit, proxied: tuple[Server, str]) -> None:
    server, url = proxied
    visitor = visit(url, ignore_https_errors=True)
    visitor.open("/recover")  # a page of this server without a script of its own that listens
    visitor.page.evaluate(BEGIN, ["ines", PASSWORD])
    wait_heard(visitor, 1)
    visitor.page.evaluate(
        "async () => { window.other = new window.server.constructor(); await window.other.account.register("
        "{ username: 'joan', email: 'joan@example.org', password: 'a long enough password' });"
        "window.room = await window.other.rooms.create({ otherUsers: [await window.server.account.userId('ines')] });"
        "await window.other.rooms.post(window.room, 'one'); }"
    )
    wait_heard(visitor, 3)
    with visitor.failing("ailed"):
        server.stop()
        visitor.page.wait_for_function("window.states.includes('lost')")
        server.start()
        # Sent while the server may still be away: repeated, and carried out once.
        visitor.page.evaluate("async () => { await window.other.rooms.post(window.room, 'two'); }")
        heard = wait_heard(visitor, 5)
    assert [event["type"] for event in heard] == ["Resumed", "RoomCreated", "NewPost", "Resumed", "NewPost"]
    assert [event["recovered"] for event in heard if event["type"] == "Resumed"] == [True, True]
    assert [event["content"] for event in heard if event["type"] == "NewPost"] == ["one", "two"]
    types = visitor.page.evaluate(REGISTRATION)
    assert types[-2:] == ["NAME", "AUTHENTICATION"]
