"""Somebody else, who asks for one small answer at a time; and the world in which they and the attackers live."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.checkout import Checkout
from benchmarks.process import CLIENT_CORE, ROOT, Server, on_core, scratch
from benchmarks.product import product
from benchmarks.table import Figures

PAUSE_SECONDS = 0.02
Json = dict[str, Any]


class World(msgspec.Struct, frozen=True):
    """A running server with two people: the attacker, and somebody else."""

    server: Server
    attacker: str
    other: str

    def ask(self, method: str, path: str, token: str, body: Json | None = None) -> Json:
        """One request; its JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        with contextlib.closing(connection):
            return _exchange(connection, method, path, token, body)

    def fill_room(self, posts: int, size: int) -> int:
        """A room of the attacker's with so many posts; its id."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        with contextlib.closing(connection):
            room: int = _exchange(connection, "POST", "/room/create", self.attacker, {"name": "abuse"})[
                "roomId"
            ]
            for _ in range(posts):
                _exchange(connection, "POST", f"/room/post/{room}", self.attacker, {"content": "x" * size})
        return room

    def measure(self, seconds: float) -> Figures:
        """Others' latency, and how much memory the server has."""
        others = sorted(_latencies(self.server.port, self.other, seconds))
        return {
            "p50_ms": 1000 * others[len(others) // 2],
            "p99_ms": 1000 * others[(len(others) - 1) * 99 // 100],
            "rss_mib": self.server.rss_kib() / 1024,
        }


@contextlib.contextmanager
def open_world(checkout: Checkout, *settings: str) -> Iterator[World]:
    """Starts a version of the product."""
    with (
        scratch() as folder,
        product(folder / "abuse.db", *settings, checkout=checkout, quotas=True) as server,
    ):
        names = [register(server.port, name) for name in ("mallory", "alice")]
        yield World(server, *names)


@contextlib.contextmanager
def attack(kind: str, *arguments: object) -> Iterator[None]:
    """Runs a function of attack.py in a process of its own, until the end of the body; the body begins when it is under way."""
    words = [sys.executable, "-m", "benchmarks.abuse.attack", kind, *map(str, arguments)]
    process = subprocess.Popen(on_core(CLIENT_CORE, words), cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError(f"{kind} has failed")
        yield
    finally:
        process.kill()
        process.communicate()


def compare(checkout: Checkout, kind: str, seconds: float, *arguments: object, room: bool = False) -> Figures:
    """The figures of a quiet server and of one under attack, with their ratios. room: 1,000 posts of 16 KiB are read."""
    with open_world(checkout) as world:
        extra = (world.fill_room(1000, 16 * 1024),) if room else ()
        quiet = world.measure(seconds)
        with attack(kind, world.server.port, world.attacker, *extra, *arguments):
            hurt = world.measure(seconds)
    return hurt | {
        "quiet_p50_ms": quiet["p50_ms"],
        "grown_mib": hurt["rss_mib"] - quiet["rss_mib"],
        "p50_times": hurt["p50_ms"] / quiet["p50_ms"],
        "p99_times": hurt["p99_ms"] / quiet["p99_ms"],
    }


def register(port: int, name: str) -> str:
    """The token of a new account."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        body = {"username": name, "email": f"{name}@example.org", "password": "rather long and rare"}
        token: str = _exchange(connection, "POST", "/login/register", "", body)["token"]
        return token


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, token: str, body: Json | None
) -> Json:
    fields = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    connection.request(method, path, None if body is None else json.dumps(body), fields)
    text = connection.getresponse().read()
    found: Json = json.loads(text) if text else {}
    return found


def _latencies(port: int, token: str, seconds: float) -> Iterator[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            _exchange(connection, "GET", "/login/info", token, None)
            yield time.monotonic() - started
            time.sleep(PAUSE_SECONDS)
