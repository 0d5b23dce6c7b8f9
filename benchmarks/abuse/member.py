"""One signed-up person who does all that the limits allow: posts of 16 KiB, or rooms with a thousand strangers each."""

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.abuse.probe import World, attack, register
from benchmarks.checkout import Checkout, checkouts
from benchmarks.process import scratch
from benchmarks.product import product
from benchmarks.table import Figures, median, note, report, rounds, verdict

LIMITED = ("limits.enabled=true",)
CHEAP = ("password.time_cost=1", "password.memory=512KiB")
STRANGERS = 5000
LISTS = 4
"""A page asks for its list anew with each event: so many at once are few."""


def measure_posts(kind: str, seconds: float) -> None:
    """kind: posts at the pace of the limit, or as fast as it allows any."""
    table = rounds(
        {name: partial(_posts, checkout, kind, seconds) for name, checkout in checkouts("now").items()}, 1
    )
    pace = "100 posts a second" if kind == "posts" else "all posts at once"
    report(f"One person's posts of 16 KiB, {pace}", table, ("disk_mib", "p50_ms", "p99_ms", "p99_times"))
    verdict("others' p99 to quiet", median(table, "now", "p99_times"), 1.2, at_most=True)
    note("MiB of disk in that time", median(table, "now", "disk_mib"))


def _posts(checkout: Checkout, kind: str, seconds: float) -> Figures:
    with (
        scratch() as folder,
        product(folder / "abuse.db", *LIMITED, checkout=checkout, quotas=True) as server,
    ):
        world = World(server, *(register(server.port, name) for name in ("mallory", "alice")))
        room = world.ask("POST", "/room/create", world.attacker, {"name": "abuse"})["roomId"]
        quiet, before = world.measure(seconds), _mib(folder)
        with attack(kind, server.port, world.attacker, room):
            hurt = world.measure(seconds)
            disk = _mib(folder) - before
    return hurt | {"disk_mib": disk, "p99_times": hurt["p99_ms"] / quiet["p99_ms"]}


def measure_strangers(seconds: float) -> None:
    """What the person does to the room list of one of 5,000 strangers, and that list to everybody."""
    table = rounds(
        {name: partial(_strangers, checkout, seconds) for name, checkout in checkouts("now").items()}, 1
    )
    figures = ("rooms", "list_ms", "list_kib", "quiet_worst_ms", "worst_ms")
    report(f"Rooms with 1,000 of {STRANGERS:,} strangers each", table, figures)
    verdict("rooms in a stranger's list", median(table, "now", "rooms"), 50, at_most=True)
    verdict("KiB of one answer", median(table, "now", "list_kib"), 1024, at_most=True)


def _strangers(checkout: Checkout, seconds: float) -> Figures:
    with scratch() as folder:
        store = folder / "abuse.db"
        with product(store, *CHEAP, checkout=checkout, quotas=True) as server:
            tokens = _register_all(server.port)
        with product(store, *LIMITED, *CHEAP, checkout=checkout, quotas=True) as server:
            world = World(server, *(register(server.port, name) for name in ("mallory", "alice")))
            with attack("rooms", server.port, world.attacker, STRANGERS):
                time.sleep(seconds)
            victim = tokens[0]
            started = time.monotonic()
            listed = world.ask("GET", "/room/list", victim)
            took = 1000 * (time.monotonic() - started)
            quiet = max(_waits(world, seconds / 3))
            with _asking(server.port, victim):
                worst = max(_waits(world, seconds / 3))
    return {
        "rooms": len(listed["rooms"]),
        "list_ms": took,
        "list_kib": len(json.dumps(listed, separators=(",", ":"))) / 1024,
        "quiet_worst_ms": quiet,
        "worst_ms": worst,
    }


def _register_all(port: int) -> list[str]:
    """The tokens of all strangers, whose ids are 1 to STRANGERS."""
    tokens: list[str] = []
    numbers = iter(range(STRANGERS))

    def run() -> None:
        for number in numbers:
            tokens.append(register(port, f"stranger{number}"))  # noqa: PERF401  (threads share the list)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tokens


def _waits(world: World, seconds: float) -> Iterator[float]:
    """How long somebody else waits for each small answer, in milliseconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.monotonic()
        world.ask("GET", "/login/info", world.other)
        yield 1000 * (time.monotonic() - started)


@contextlib.contextmanager
def _asking(port: int, token: str) -> Iterator[None]:
    """Asks for the list on LISTS connections until the end of the body."""
    ended = threading.Event()

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            while not ended.is_set():
                connection.request("GET", "/room/list", headers={"authorization": f"Bearer {token}"})
                connection.getresponse().read()

    threads = [threading.Thread(target=run) for _ in range(LISTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _mib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 2**20
