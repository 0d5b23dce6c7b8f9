"""Nodes: two processes that start under one name, or on a new store with two keys; a name that is taken from one that lives."""

from collections.abc import Callable
from functools import partial

from regserver.domain.instant import Instant
from regserver.ports.live_table import LiveRow
from regserver.ports.node_table import NodeRun
from regserver.ports.store import Store
from regserver.ports.transaction import Lock
from tests.store.race import Racer, Racers, Scenario, rows

NOW = Instant(1_600_000_000_000)
BEFORE = NodeRun("alpha", b"before", 0, NOW)


class Hall:
    """One node that is known, alpha."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def open(self) -> None:
        await self.store.write(lambda transaction: transaction.nodes.take("alpha", b"before", None, NOW))


def take(hall: Hall, name: str, run: bytes, before: NodeRun | None) -> Racer:
    return lambda: hall.store.write(lambda transaction: transaction.nodes.take(name, run, before, NOW))


def beat(hall: Hall) -> Racer:
    return lambda: hall.store.write(lambda transaction: transaction.nodes.beat("alpha", b"before", NOW))


def settle(hall: Hall, key: bytes) -> Racer:
    return lambda: hall.store.write(lambda transaction: transaction.server_keys.settle(key))


def register(hall: Hall, person: bytes) -> Racer:
    row = LiveRow(b"job of " + person, person, b"before", 0, b"")
    return lambda: hall.store.write(lambda transaction: transaction.live.add(row, 1))


def between(
    name: str,
    racers: Callable[[Hall], tuple[Racer, Racer]],
    lock: Lock | None = None,
    seen: str = "SELECT name, run, beats FROM node ORDER BY name",
) -> Scenario:
    async def prepare(store: Store) -> Racers:
        hall = Hall(store)
        await hall.open()
        return Racers(*racers(hall), partial(rows, store, seen))

    return Scenario(name, prepare, lock)


SCENARIOS = (
    between(
        "two starts under a new name", lambda h: (take(h, "beta", b"1", None), take(h, "beta", b"2", None))
    ),
    between(
        "two starts after a crash", lambda h: (take(h, "alpha", b"1", BEFORE), take(h, "alpha", b"2", BEFORE))
    ),
    between("a start beside a sign of life", lambda h: (take(h, "alpha", b"1", BEFORE), beat(h))),
    between("a sign of life beside a start", lambda h: (beat(h), take(h, "alpha", b"1", BEFORE))),
    between("two first starts with two keys", lambda h: (settle(h, b"1"), settle(h, b"2"))),
    between(
        "two registrations where one more may run",
        lambda h: (register(h, b"ann"), register(h, b"bob")),
        Lock.LIVE,
        "SELECT person FROM live_job",
    ),
)
