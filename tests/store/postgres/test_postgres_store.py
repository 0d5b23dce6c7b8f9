"""What the store on PostgreSQL adds to the contract: nodes, restarts, and units that are not interrupted."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId
from regserver.domain.room_event import Left, Posted, RoomEvent
from regserver.ports.store import MOST_TEXT, Store, StoreFault
from regserver.ports.transaction import Lock, Transaction
from regserver.store import migration
from regserver.store.postgres import (
    PostgresPolicy,
    PostgresStore,
    migrate_postgres,
    open_postgres,
    postgres_link,
    postgres_policy,
    postgres_store,
)
from regserver.store.postgres.driver import connect
from tests.peer.postgres import Cluster

NOW = Instant(1_600_000_000_000)
ROOM, ACTOR = RoomId(1), AccountId(1)


@pytest.fixture
def place(new_database: Callable[[], str]) -> str:
    """How to connect to a migrated, empty database."""
    return new_database()


@asynccontextmanager
async def node(
    place: str, link: Literal["postgres", "local"] = "postgres", most: int = 8
) -> AsyncIterator[PostgresStore]:
    async with open_postgres(place, PostgresPolicy(least=1, most=most, patience=20, link=link)) as store:
        yield store


async def append(store: Store, count: int, now: Instant = NOW) -> None:
    async def work(transaction: Transaction) -> None:
        transaction.events.append_last(ROOM, ACTOR, Left(deleted=False), now)

    for _ in range(count):
        await store.write(work)


async def count_rooms(store: Store) -> int:
    async def work(transaction: Transaction) -> int:
        found = [await transaction.rooms.access(RoomId(number), ACTOR) for number in range(1, 10)]
        return len([access for access in found if access is not None])

    return await store.read(work)


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(20):
        while not holds():  # noqa: ASYNC110  (nothing tells)
            await trio.sleep(0.01)


async def listening(place: str, count: int, gone: frozenset[int] = frozenset()) -> frozenset[int]:
    """Waits until the database has so many listening connections, and none of those that are gone; their processes."""
    asked = (
        "SELECT coalesce(array_agg(pid), '{}') FROM pg_stat_activity"
        " WHERE datname = current_database() AND state = 'idle' AND query = $1"
    )
    async with await connect(place) as watcher:
        with trio.fail_after(20):
            while True:
                found = frozenset(await watcher.value(asked, f'LISTEN "{postgres_link.CHANNEL}"'))
                if len(found) == count and not found & gone:
                    return found
                await trio.sleep(0.01)


async def test_two_nodes_hear_everything_in_one_order(place: str) -> None:
    async with node(place) as one, node(place) as two:
        heard: tuple[list[RoomEvent], list[RoomEvent]] = ([], [])
        one.listen(heard[0].extend)
        two.listen(heard[1].extend)
        async with trio.open_nursery() as nursery:
            for store in (one, two):
                for _ in range(10):
                    nursery.start_soon(append, store, 15)
        await until(lambda: len(heard[0]) == len(heard[1]) == 300)
        ids = [event.id for event in heard[0]]
        assert ids == sorted(set(ids))
        assert heard[0] == heard[1]


async def test_a_units_own_event_is_heard_before_it_goes_on(place: str) -> None:
    async with node(place) as store:
        heard: list[RoomEvent] = []
        store.listen(heard.extend)
        for number in range(1, 10):
            await append(store, 1)
            assert len(heard) == number


async def test_the_event_of_a_post_that_is_gone_is_not_told_elsewhere(place: str) -> None:
    async with node(place) as one, node(place) as two:
        heard: list[RoomEvent] = []
        two.listen(heard.extend)

        async def work(transaction: Transaction) -> None:
            await transaction.events.append(ROOM, ACTOR, Posted(PostId(7), "gone"), NOW)
            await transaction.events.append(ROOM, ACTOR, Left(deleted=False), NOW)

        await one.write(work)
        await until(lambda: bool(heard))
        assert [event.change for event in heard] == [Left(deleted=False)]


async def test_a_node_hears_only_what_comes_after_its_start(place: str) -> None:
    async with node(place) as one:
        await append(one, 3)
        async with node(place) as two:
            heard: list[RoomEvent] = []
            two.listen(heard.extend)
            await append(one, 2)
            await until(lambda: len(heard) == 2)


async def test_a_unit_that_has_begun_is_not_interrupted(place: str) -> None:
    async with node(place) as store:
        begun, done = trio.Event(), []

        async def work(transaction: Transaction) -> None:
            begun.set()
            await transaction.rooms.add("a", NOW)
            await transaction.rooms.add("b", NOW)
            done.append(True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.write, work)
            await begun.wait()
            nursery.cancel_scope.cancel()
        assert done == [True]
        assert await count_rooms(store) == 2


async def test_a_unit_that_takes_too_long_is_undone(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_policy, "UNIT_STATEMENTS", 0.02)
    async with node(place) as store, await connect(place) as other, other.transaction():
        await other.script("LOCK TABLE room")

        async def work(transaction: Transaction) -> None:
            await transaction.lock(Lock.ROOM, 1)
            await transaction.rooms.add("a", NOW)

        with pytest.raises(StoreFault, match=r"took longer than 0\.2 s"):
            await store.write(work)
    async with node(place) as store:
        assert await count_rooms(store) == 0


async def test_what_only_reads_cannot_write(place: str) -> None:
    async with node(place) as store:
        with pytest.raises(Exception, match="read-only transaction"):
            await store.read(lambda transaction: transaction.rooms.add("a", NOW))


async def test_the_server_goes_and_comes(place: str) -> None:
    with Cluster.create() as own:
        home = own.place(own.create_database())
        await migrate_postgres(home, NOW)
        async with node(home) as store:
            heard: list[RoomEvent] = []
            store.listen(heard.extend)
            await append(store, 2)
            await trio.to_thread.run_sync(own.stop)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(start_in_thread, own)
                await append(store, 2)  # waits for the server
            await until(lambda: len(heard) == 4)
            await store.check()


async def start_in_thread(cluster: Cluster) -> None:
    await trio.to_thread.run_sync(cluster.start)


async def test_a_server_that_stays_away_is_told(place: str) -> None:
    with Cluster.create() as own:
        home = own.place(own.create_database())
        await migrate_postgres(home, NOW)
        async with open_postgres(home, PostgresPolicy(least=1, patience=0.3)) as store:
            await trio.to_thread.run_sync(own.stop)
            with pytest.raises(StoreFault, match="no connection was free"):
                await store.check()


async def test_nothing_listens_there() -> None:
    with pytest.raises(StoreFault, match="refused"):
        async with node("host=127.0.0.1 port=1 user=test"):
            pass
    with pytest.raises(StoreFault, match="refused"):
        await migrate_postgres("host=127.0.0.1 port=1 user=test", NOW)


# --- migration
async def test_nodes_that_start_at_once_migrate_once(cluster: Cluster) -> None:
    place = cluster.place(cluster.create_database())
    versions: list[int] = []

    async def start() -> None:
        versions.append(await migrate_postgres(place, NOW))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(start)
    newest = migration.migrations()[-1].number
    assert versions == [newest] * 3
    async with await connect(place) as connection:
        assert await connection.value("SELECT count(*) FROM migration WHERE at = $1", NOW) == newest


async def test_a_newer_schema_is_refused(place: str) -> None:
    async with await connect(place) as connection:
        await connection.run("INSERT INTO migration (number, name, at) VALUES (9999, 'later', 0)")
    with pytest.raises(StoreFault, match="newer regserver"):
        await migrate_postgres(place, NOW)


async def test_another_node_is_woken_by_a_word(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the poll, which is put off."""
    monkeypatch.setattr(postgres_link, "POLL_SECONDS", 1000)
    monkeypatch.setattr(postgres_store, "FOREIGN_SECONDS", 0)
    async with node(place) as one, node(place) as two:
        heard: tuple[list[RoomEvent], list[RoomEvent]] = ([], [])
        words: list[int] = []
        texts: list[str] = []
        one.listen(heard[0].extend)
        two.listen(heard[1].extend)
        two.listen_texts(texts.append)
        two.listen_elsewhere(lambda: words.append(1))

        async def counted() -> int:
            """How many words the second node was woken by, once all have come that were sent before."""
            before = len(texts)
            one.say_nowait("behind them")
            await until(lambda: len(texts) > before)
            await wait_all_tasks_blocked()
            return len(words)

        await listening(place, 2)
        await append(one, 1)
        await until(lambda: len(heard[1]) == 1)
        before = await counted()
        await one.write(lambda transaction: transaction.session_endings.add(ACTOR))
        after = await counted()
        assert after > before
        await one.write(lambda transaction: transaction.session_endings.purge())  # concerns nobody
        await append(two, 1)
        await until(lambda: len(heard[0]) == 2)  # so its word has gone out; it does not wake itself
        assert await counted() == after


async def test_nodes_without_words_look(place: str) -> None:
    """The other engine: fanout.engine = "local"."""
    async with node(place, "local") as one, node(place, "local") as two:
        heard: list[RoomEvent] = []
        two.listen(heard.extend)
        await append(one, 2)
        await until(lambda: len(heard) == 2)
        assert two.link.fault() is None
        async with await connect(place) as watcher:
            asked = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1"
            )
            assert [await watcher.value(asked, f"{word}%") for word in ("LISTEN", "NOTIFY")] == [0, 0]


async def test_what_a_node_says_is_heard_by_the_others(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its order, and by itself not; it wakes nobody to read."""
    monkeypatch.setattr(postgres_link, "POLL_SECONDS", 1000)
    async with node(place) as one, node(place) as two, node(place, "local") as deaf:
        heard: dict[str, list[str]] = {"one": [], "two": [], "deaf": []}
        words: list[int] = []
        for name, store in (("one", one), ("two", two), ("deaf", deaf)):
            store.listen_texts(heard[name].append)
        await listening(place, 2)
        two.listen_elsewhere(lambda: words.append(1))
        for number in range(5):
            one.say_nowait(f"{number} é '")
        await until(lambda: len(heard["two"]) == 5)
        assert heard == {"one": [], "two": [f"{number} é '" for number in range(5)], "deaf": []}
        assert words == []
        one.say_nowait("x" * MOST_TEXT)
        deaf.say_nowait("nobody hears it")
        await until(lambda: len(heard["two"]) == 6)


@pytest.mark.parametrize("side", ["listening", "telling"])
async def test_a_link_that_was_cut_is_made_again(
    place: str, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_link, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(postgres_link, "QUIET_POLLS", 1_000_000)  # or another statement is the last one
    async with node(place) as one, node(place) as two:
        heard: list[RoomEvent] = []
        two.listen(heard.extend)
        await append(one, 1)
        await until(lambda: len(heard) == 1)
        were = await listening(place, 2)
        async with await connect(place) as cutter:
            found = "LISTEN%" if side == "listening" else "NOTIFY%"
            await cutter.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE $1",
                found,
            )
        await append(one, 3)
        await until(lambda: len(heard) == 4)
        await listening(place, 2, gone=were if side == "listening" else frozenset())


# --- a log that has gone back
async def take_back(place: str, count: int) -> None:
    """Removes the newest events and their numbers, as when a standby that lacks them becomes the primary."""
    async with await connect(place) as connection:
        await connection.execute("DELETE FROM event WHERE id > (SELECT max(id) - $1 FROM event)", count)
        await connection.execute("SELECT setval('event_id_seq', (SELECT max(id) FROM event))")


@pytest.mark.parametrize("others", [0, 1, 3, 5])
async def test_a_log_that_has_gone_back(
    place: str, others: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is seen, however many events of others have come since. What follows is heard, by its old numbers."""
    async with node(place) as store:
        heard: list[RoomEvent] = []
        ends: list[int] = []
        store.listen(heard.extend)
        store.listen_loss(ends.append)
        await append(store, 5)
        store.tail.wake_nowait = lambda: None  # type: ignore[method-assign]  # neither a word nor the poll
        await take_back(place, 3)
        async with node(place) as other:
            await append(other, others, Instant(NOW + 1))
            del store.tail.wake_nowait
            await until(lambda: bool(ends))
            await append(other, 2, Instant(NOW + 2))
            await until(lambda: len(heard) == 7)
        assert ends == [2 + others]
        assert [event.id for event in heard[5:]] == [3 + others, 4 + others]
        assert {event.at for event in heard[5:]} == {NOW + 2}
        assert [record.levelname for record in caplog.records if "does not go on" in record.message] == [
            "WARNING"
        ]
        assert {figure.name: figure.read() for figure in store.figures}["store_log_losses"] == 1
