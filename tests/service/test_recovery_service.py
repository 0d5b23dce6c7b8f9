"""Where a stream starts, what follows, and that `recovered` is true exactly when everything follows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from regserver.domain.instant import DAY, SECOND, Duration, Instant
from regserver.domain.outcome import BadToken, UserIsDeleted
from regserver.domain.room import MAX_POST_BYTES
from regserver.domain.room_event import START, EventId, Left, Position, Posted
from regserver.service.expiry import TRIM_INTERVAL_SECONDS, run_trim, trim_log
from regserver.service.recovery_service import (
    PAGE_CHARACTERS,
    PAGE_EVENTS,
    Resumption,
)
from tests.rooms import Rooms, open_rooms


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


async def test_without_a_cursor_the_stream_starts_now(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    assert await rooms.resume(ann, None) == Resumption(START, recovered=True, missed=0)
    await rooms.room(ann, bob)
    assert await rooms.resume(bob, None) == Resumption(await rooms.end(), recovered=True, missed=0)


async def test_what_was_missed_is_counted_and_told(rooms: Rooms) -> None:
    ann, bob, cid = await rooms.people("ann", "bob", "cid")
    start = (await rooms.resume(bob, None)).start
    room = await rooms.room(ann, bob)
    await rooms.post(bob, room, "his own")
    await rooms.post(ann, room)
    await rooms.room(ann, cid)
    await rooms.rooms.leave(ann.token, str(room))
    assert await rooms.resume(bob, start) == Resumption(start, recovered=True, missed=3)
    assert [event.id for event in await rooms.missed(bob, start)] == [1, 3, 5]


async def test_tokens_are_looked_at_in_the_same_snapshot(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    await rooms.accounts.sign_out(ann.token, everywhere=False)
    await rooms.delete(bob.token)
    for start in (rooms.recovery.begin(ann.token, None), rooms.recovery.beginning(ann.token)):
        assert await start == BadToken()
    for start in (rooms.recovery.begin(bob.token, None), rooms.recovery.beginning(bob.token)):
        assert await start == UserIsDeleted()


async def test_many_pages_give_everything_once(rooms: Rooms) -> None:
    ann, bob, cid = await rooms.people("ann", "bob", "cid")
    busy, quiet = await rooms.room(ann, cid), await rooms.room(ann, bob)
    start = await rooms.end()

    async def post_some() -> None:
        for turn in range(100):
            await rooms.post(ann, quiet if turn % 10 == 0 else busy)

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(post_some)
    for person, count in ((bob, 400), (cid, 3600)):
        assert (await rooms.resume(person, start)).missed == count
        numbers = [event.id for event in await rooms.missed(person, start)]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == count
    assert count > PAGE_EVENTS


async def test_the_log_reaches_back_as_long_as_it_is_kept(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    positions = []
    for _ in range(5):
        rooms.clock.advance(SECOND)
        await rooms.post(ann, room)
        positions.append(await rooms.end())
    rooms.clock.advance(2 * SECOND)
    # Older than three seconds are the room and three posts.
    assert await trim_log(rooms.store, rooms.clock, Duration(3 * SECOND)) == 4
    end = await rooms.end()
    for position, missed in zip(positions, (None, None, 2, 1, 0), strict=True):
        expected = (
            Resumption(end, recovered=False, missed=0)
            if missed is None
            else Resumption(position, recovered=True, missed=missed)
        )
        assert await rooms.resume(bob, position) == expected
    assert await rooms.resume(bob, START) == Resumption(end, recovered=False, missed=0)


async def test_a_quiet_log_stays_recoverable(rooms: Rooms) -> None:
    """The newest event stays, however old it is: a client that has heard it has missed nothing."""
    ann, bob = await rooms.people("ann", "bob")
    await rooms.room(ann, bob)
    end = await rooms.end()
    rooms.clock.advance(100 * DAY)
    (bob,) = await rooms.people("bobby")
    await trim_log(rooms.store, rooms.clock, DAY)
    assert await rooms.resume(bob, end) == Resumption(end, recovered=True, missed=0)
    assert await rooms.end() == end


async def test_a_position_of_another_history_is_not_recovered(rooms: Rooms) -> None:
    """A database restored from a backup has not seen what the client has."""
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    await rooms.post(ann, room)
    end = await rooms.end()
    ahead = Position(EventId(end.id + 10), Instant(end.at))
    rewritten = Position(end.id, Instant(end.at - 1))
    for position in (ahead, rewritten):
        assert await rooms.resume(bob, position) == Resumption(end, recovered=False, missed=0)


async def test_a_reader_that_is_overtaken_by_the_cut_says_so(rooms: Rooms) -> None:
    """It promised everything, so it must not go on as if nothing were missing."""
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    for _ in range(PAGE_EVENTS + 10):
        await rooms.post(ann, room)
    reader = rooms.recovery.reader(bob.id, START)
    page = await reader.next()
    assert page is not None
    assert len(page.events) == PAGE_EVENTS
    rooms.clock.advance(DAY)
    await trim_log(rooms.store, rooms.clock, Duration(SECOND))
    assert await reader.next() is None


async def test_deletion_inside_the_gap(rooms: Rooms) -> None:
    ann, bob, cid = await rooms.people("ann", "bob", "cid")
    rooms_of_three = [await rooms.room(ann, bob, cid) for _ in range(3)]
    start = await rooms.end()
    await rooms.post(cid, rooms_of_three[0], "soon gone")
    await rooms.delete(cid.token)
    events = await rooms.missed(bob, start)
    assert [type(event.change) for event in events] == [Posted, Left, Left, Left]
    assert {event.room for event in events[1:]} == set(rooms_of_three)
    assert all(event.change == Left(deleted=True) for event in events[1:])


async def test_long_posts_make_short_pages(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    for number in range(60):
        await rooms.post(ann, room, "x" * (MAX_POST_BYTES if number < 40 else 1))
    reader = rooms.recovery.reader(bob.id, START)
    pages: list[list[int]] = []
    while (page := await reader.next()) is not None:
        pages.append([event.id for event in page.events])
        if page.rooms is not None:
            break
    assert [number for numbers in pages for number in numbers] == list(range(1, 62))
    assert all(len(numbers) * MAX_POST_BYTES <= PAGE_CHARACTERS + MAX_POST_BYTES for numbers in pages[:3])
    assert len(pages) < 12


async def test_a_reader_stops_when_the_log_has_gone_back(rooms: Rooms) -> None:
    """Another event has the number of the last one that it saw, or none has."""
    ann, bob = await rooms.people("ann", "bob")
    await rooms.room(ann, bob)
    end = await rooms.end()
    assert await rooms.recovery.reader(bob.id, end).next() is not None
    for lost in (Position(EventId(end.id + 3), end.at), Position(end.id, Instant(end.at - 1))):
        assert await rooms.recovery.reader(bob.id, lost).next() is None


async def test_the_log_is_trimmed_again_and_again(rooms: Rooms, mock_clock: trio.testing.MockClock) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    start = await rooms.end()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_trim, rooms.store, rooms.clock, Duration(DAY))
        for _ in range(3):
            await rooms.post(ann, room)
            rooms.clock.advance(2 * DAY)
            newest = await rooms.end()
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(TRIM_INTERVAL_SECONDS)
            while (await rooms.store.read(lambda transaction: transaction.events.cut())).id < newest.id - 1:
                await trio.lowlevel.checkpoint()
            assert await rooms.resume(bob, newest) == Resumption(newest, recovered=True, missed=0)
        assert (await rooms.resume(bob, start)).recovered is False
        nursery.cancel_scope.cancel()
