"""The contract of back ends for units of work: all or nothing, and run again after a conflict."""

import pytest

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId
from regserver.domain.room_event import EventId, Left, Posted, RoomEvent
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Conflict, Lock, Transaction
from regserver.store.rerun import MAX_RUNS

NOW = Instant(1_600_000_000_000)
ROOM, ACTOR = RoomId(1), AccountId(1)


async def rooms(store: Store) -> list[str | None]:
    async def work(transaction: Transaction) -> list[str | None]:
        found = [await transaction.rooms.access(RoomId(number), ACTOR) for number in range(1, 20)]
        return [access.room.name for access in found if access is not None]

    return await store.read(work)


async def test_after_a_conflict_the_unit_runs_again(any_store: Store) -> None:
    runs = 0

    async def work(transaction: Transaction) -> int:
        nonlocal runs
        runs += 1
        await transaction.rooms.add(f"run {runs}", NOW)
        transaction.events.append_last(ROOM, ACTOR, Left(deleted=False), NOW)
        if runs < 3:
            raise Conflict("another was here first")
        return runs

    assert await any_store.write(work) == 3
    assert await rooms(any_store) == ["run 3"]


async def test_the_runs_of_a_unit_are_bounded(any_store: Store) -> None:
    runs = 0

    async def work(transaction: Transaction) -> None:
        nonlocal runs
        runs += 1
        raise Conflict("for ever")

    with pytest.raises(StoreFault, match="conflict 10 times: for ever"):
        await any_store.write(work)
    assert runs == MAX_RUNS == 10


async def test_a_broken_key_is_a_conflict(any_store: Store) -> None:
    """Never a bug that a client sees: the unit runs again, and the store is busy when that does not help."""
    runs = 0

    async def work(transaction: Transaction) -> None:
        nonlocal runs
        runs += 1
        await transaction.posts.add(RoomId(99), AccountId(99), "no such room", NOW)

    with pytest.raises(StoreFault, match=r"(?i)foreign key"):
        await any_store.write(work)
    assert runs == MAX_RUNS


async def test_an_exception_of_the_unit_comes_out(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.rooms.add("x", NOW)
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        await any_store.write(work)
    assert await rooms(any_store) == []


async def test_locks_may_be_taken_in_their_order(any_store: Store) -> None:
    async def work(transaction: Transaction) -> str:
        for lock in Lock:
            await transaction.lock(lock, "text", b"bytes", 2**40)
        return "done"

    assert await any_store.write(work) == "done"


async def test_the_last_event_follows_all_others(any_store: Store) -> None:
    heard: list[RoomEvent] = []
    any_store.listen(heard.extend)

    async def work(transaction: Transaction) -> None:
        transaction.events.append_last(ROOM, ACTOR, Posted(PostId(7), "last"), NOW)
        await transaction.events.append(ROOM, ACTOR, Left(deleted=False), NOW)

    await any_store.write(work)
    assert [(event.id, event.change) for event in heard] == [
        (EventId(1), Left(deleted=False)),
        (EventId(2), Posted(PostId(7), "last")),
    ]
    end = await any_store.read(lambda transaction: transaction.events.end())
    assert end.id == 2


async def test_a_failed_unit_leaves_no_event_behind(any_store: Store) -> None:
    heard: list[RoomEvent] = []
    any_store.listen(heard.extend)

    async def fail(transaction: Transaction) -> None:
        transaction.events.append_last(ROOM, ACTOR, Left(deleted=False), NOW)
        raise LookupError

    with pytest.raises(LookupError):
        await any_store.write(fail)
    await any_store.write(lambda transaction: transaction.rooms.add("next", NOW))
    assert heard == []
