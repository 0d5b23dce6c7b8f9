"""What readiness says of the pool and of the tail of the log."""

from typing import cast

import pytest
import trio
import trio.testing

from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId, Position
from regserver.ports.store import StoreFault
from regserver.store.postgres import PostgresPolicy
from regserver.store.postgres.driver import ConnectionLost, PgConnection, Pool, PoolStatistics
from regserver.store.postgres.log_tail import LogPage, LogTail
from regserver.store.postgres.postgres_health import PostgresHealth
from regserver.store.postgres.postgres_link import PostgresLink

NOW = Instant(1_600_000_000_000)


class Place:
    """A log whose tail a test moves, and a pool whose figures it sets."""

    def __init__(self) -> None:
        self.end = EventId(0)
        self.is_away = False
        self.figures: dict[str, int] = {}
        self.tail = LogTail(self.none)
        self.link = PostgresLink(self.refuse, lambda: None)
        policy, pool = PostgresPolicy(most=4), cast("Pool", self)
        self.health = PostgresHealth(pool, policy, self.tail, self.link, self.read_end)

    async def refuse(self) -> PgConnection:
        raise ConnectionLost("refused")

    async def none(self, position: Position, limit: int) -> LogPage:
        return ()

    async def read_end(self) -> EventId:
        if self.is_away:
            raise StoreFault("away")
        return self.end

    def statistics(self) -> PoolStatistics:
        zero = dict.fromkeys(PoolStatistics.__dataclass_fields__, 0)
        return PoolStatistics(**{**zero, **self.figures})


async def test_the_tail_is_late_once_it_stands_still(autojump_clock: trio.testing.MockClock) -> None:
    place = Place()
    assert await place.health.check_lag() is None
    await trio.sleep(3600)
    place.end = EventId(5)  # this moment
    assert await place.health.check_lag() is None
    await trio.sleep(60)
    assert await place.health.check_lag() == "the events after 0 are not read for 60 s"
    place.is_away = True
    assert await place.health.check_lag() is None
    place.is_away, place.tail.position = False, Position(EventId(4), NOW)
    assert await place.health.check_lag() is None
    place.tail.position = Position(EventId(5), NOW)
    await trio.sleep(60)
    assert await place.health.check_lag() is None


async def test_the_link_is_deaf_once_it_cannot_connect(autojump_clock: trio.testing.MockClock) -> None:
    place = Place()

    def up() -> int:
        return {figure.name: figure.read() for figure in place.health.figures}["store_link_up"]

    assert (await place.health.check_link(), up()) == (None, 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(place.link.run_listening)
        await trio.sleep(60)
        said = await place.health.check_link()
        assert (said, up()) == ("not listening for 60 s: what other nodes write is seen up to 1 s late", 0)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, None),
        ({"lent": 4}, None),
        ({"lent": 4, "waiting": 2}, "all 4 connections are in use, and 2 callers wait (store.pool_size)"),
        ({"failures": 3, "waiting": 1}, "no connection could be made 3 times in a row; 1 callers wait"),
    ],
)
async def test_the_pool(figures: dict[str, int], said: str | None) -> None:
    place = Place()
    place.figures = figures
    assert await place.health.check_pool() == said
    numbers = {figure.name: figure.read() for figure in place.health.figures}
    assert numbers["store_connections_used"] == figures.get("lent", 0)
    assert numbers["store_waiting"] == figures.get("waiting", 0)
