"""The started product in the scenarios of the front door's measurements: all sockets in one room, all sockets watching one
registration, and a method that does nothing; and the front door alone."""

import contextlib
import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from benchmarks import process
from benchmarks.checkout import THIS, Checkout
from benchmarks.front.server import server
from benchmarks.process import CLIENT_CORE, Server, Words, free_port, scratch
from benchmarks.product import product
from benchmarks.rooms.world import world

LIVE_SECONDS = 3600  # longer than a measurement


class Sockets(msgspec.Struct, frozen=True):
    """A server, and the target of its client: a path, and a file with a token for each socket if they need one."""

    server: Server
    target: tuple[str | Path, ...]


@contextlib.contextmanager
def bare(sockets: int) -> Iterator[Sockets]:
    """The front door with an endpoint that accepts and waits."""
    with server("ours") as running:
        yield Sockets(running, ("/sub",))


@contextlib.contextmanager
def rooms(sockets: int) -> Iterator[Sockets]:
    """Each socket of another account, all of them members of one room."""
    with world(people=sockets) as made, product(made.path) as running:
        yield Sockets(running, ("/room/websocket", made.tokens))


@contextlib.contextmanager
def live(sockets: int) -> Iterator[Sockets]:
    """All sockets observers of one registration, whose source has said one line and takes long for the rest."""
    with live_product() as running:
        yield Sockets(running, (sign_in(running),))


@contextlib.contextmanager
def live_product(checkout: Checkout = THIS) -> Iterator[Server]:
    """The product with a source that says one line and takes long for the rest."""
    port = free_port()
    source: Words = [sys.executable, "-m", "benchmarks.live.source", port, LIVE_SECONDS, 1]
    settings = (
        "live.source=http",
        f"live.http.url=http://127.0.0.1:{port}",
        f"live.http.timeout={LIVE_SECONDS}s",
        f"live.deadline={LIVE_SECONDS}s",
    )
    with (
        scratch() as folder,
        process.server(source, port, core=CLIENT_CORE),
        product(folder / "front.db", *settings, checkout=checkout) as running,
    ):
        yield running


@contextlib.contextmanager
def rpc(checkout: Checkout = THIS) -> Iterator[Server]:
    """With limits that nobody reaches, and a log that goes nowhere but is written."""
    settings = ("limits.enabled=true", "limits.routes.rpc=999999999/1s", "log.level=info")
    module = "benchmarks.front.peer.rpc"
    with (
        scratch() as folder,
        product(
            folder / "front.db", *settings, module=module, log=Path("/dev/null"), checkout=checkout
        ) as running,
    ):
        yield running


def sign_in(running: Server) -> str:
    """Begins somebody's registration; returns its path."""
    location: str = ask(running, "/login", {"username": "somebody", "password": "right"})["location"]
    return urlsplit(location).path


def ask(running: Server, path: str, body: object, token: str | None = None) -> Any:
    """Posts JSON; returns the JSON of the answer. Raises RuntimeError unless it is a success or a redirection."""
    fields = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port)) as connection:
        connection.request("POST", path, json.dumps(body), fields)
        answer = connection.getresponse()
        content = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{path}: {answer.status} {content!r}")
    return json.loads(content)
