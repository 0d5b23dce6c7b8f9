"""Getting into rooms: who may bring whom in, offers and their answers, blocks, and how much a day allows."""

from contextlib import closing
from pathlib import Path

import pytest
import trio

from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY, HOUR, SECOND
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    InvitationRefused,
    QuotaExceeded,
    RoomNotFound,
    TooManyBlocks,
    TooManyUsers,
)
from regserver.domain.room import LARGE_ROOM, MEMBERS_SHOWN, RoomId
from regserver.domain.room_event import Created, Invited, OfferAccepted, Offered
from regserver.service import block_service
from regserver.service.membership_service import OFFER_TTL, STRANGER_ROOMS
from regserver.service.quota import MEMBER_BYTES, ROW_BYTES, QuotaPolicy
from regserver.store.sqlite import connect
from tests.rooms import Rooms, Somebody, ids, open_rooms


async def bring(rooms: Rooms, host: Somebody, *guests: Somebody) -> object:
    """A room of the host's; its number, or the refusal."""
    return await rooms.memberships.create(host.token, None, ids(guests))


async def listed(rooms: Rooms, person: Somebody) -> list[RoomId]:
    page = await rooms.rooms.list(person.token)
    return [summary.room.id for summary in page.rooms]  # type: ignore[union-attr]


# --- strangers
async def test_strangers_together_bring_nobody_into_more_than_fifty_rooms_a_day(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        victim, friend, *strangers = await rooms.people("victim", "friend", "s1", "s2", "s3")
        common = await rooms.room(victim, friend)
        for number in range(STRANGER_ROOMS):
            assert isinstance(await bring(rooms, strangers[number % 3], victim), int)
        refusal = InvitationRefused((victim.id,))
        assert await bring(rooms, strangers[0], victim) == refusal
        (other,) = await rooms.people("other")
        own = await rooms.room(other)
        assert await rooms.memberships.invite(other.token, str(own), [victim.id]) == refusal
        assert await bring(rooms, strangers[0], friend, victim) == refusal  # all or nothing
        assert isinstance(await bring(rooms, friend, victim), int)  # who shares a room is no stranger
        rooms.clock.advance(DAY + SECOND)
        assert isinstance(await bring(rooms, strangers[0], victim), int)
        assert len(await listed(rooms, victim)) == STRANGER_ROOMS + 3
        assert common in await listed(rooms, victim)


async def test_being_brought_into_a_room_makes_nobody_a_fellow(tmp_path: Path) -> None:
    """Else the first room would open the way for all others. Reading in it does."""
    async with open_rooms(tmp_path) as rooms:
        victim, stranger = await rooms.people("victim", "stranger")
        first = await rooms.room(stranger, victim)
        for _ in range(STRANGER_ROOMS - 1):
            await bring(rooms, stranger, victim)
        assert await bring(rooms, stranger, victim) == InvitationRefused((victim.id,))
        post = await rooms.post(stranger, first)
        await rooms.marks.seen(victim.token, str(first), post)  # type: ignore[arg-type]
        assert isinstance(await bring(rooms, stranger, victim), int)


# --- blocks
async def test_nobody_is_brought_in_by_whom_they_block(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        ann, bob, cid = await rooms.people("ann", "bob", "cid")
        room = await rooms.room(ann, bob)
        assert await rooms.blocks.add(ann.token, str(bob.id)) is None
        assert await rooms.blocks.add(ann.token, str(bob.id)) is None  # once more changes nothing
        refusal = InvitationRefused((ann.id,))
        assert await bring(rooms, bob, ann, cid) == refusal  # although they share a room
        own = await rooms.room(bob)
        assert await rooms.memberships.invite(bob.token, str(own), [ann.id]) == refusal
        assert await rooms.memberships.invite(bob.token, str(room), [ann.id]) is None  # she is there already
        assert isinstance(await bring(rooms, ann, bob), int)  # it works in one direction
        blocks = await rooms.blocks.list(ann.token)
        assert [(block.account, block.username) for block in blocks] == [(bob.id, "bob")]  # type: ignore[union-attr]
        assert await rooms.blocks.list(bob.token) == ()
        assert await rooms.blocks.remove(ann.token, str(bob.id)) is None
        assert isinstance(await bring(rooms, bob, ann), int)


async def test_what_cannot_be_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_service, "MAX_BLOCKS", 2)
    async with open_rooms(tmp_path) as rooms:
        ann, gone, *others = await rooms.people("ann", "gone", "b1", "b2", "b3")
        await rooms.delete(gone.token)
        for nobody in ("999", str(ann.id), str(gone.id)):
            assert await rooms.blocks.add(ann.token, nobody) == AccountNotFound()
        assert await rooms.blocks.add(ann.token, "bob") == BadId()
        assert await rooms.blocks.remove(ann.token, "bob") == BadId()
        assert await rooms.blocks.remove(ann.token, "999") is None
        assert [await rooms.blocks.add(ann.token, str(other.id)) for other in others] == [
            None,
            None,
            TooManyBlocks(),
        ]


# --- offers
async def test_where_people_are_asked_nobody_is_in_before_they_say_so(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, asks=True) as rooms:
        ann, bob, cid = await rooms.people("ann", "bob", "cid")
        start = await rooms.end()
        room = await rooms.room(ann, bob, cid)
        assert await listed(rooms, bob) == []
        (offer,) = await rooms.memberships.offers(bob.token)  # type: ignore[misc]
        assert (offer.room, offer.host, offer.host_username) == (room, ann.id, "ann")
        assert await rooms.memberships.accept(bob.token, str(room)) is None
        assert await listed(rooms, bob) == [room]
        assert await rooms.memberships.offers(bob.token) == ()
        assert await rooms.memberships.decline(cid.token, str(room)) is None
        assert await rooms.memberships.accept(cid.token, str(room)) == RoomNotFound()
        heard = [event.change for event in await rooms.missed(ann, start)]
        assert heard == [OfferAccepted(ann.id, bob.id)]  # nobody hears of the refusal
        asked = [event.change for event in await rooms.missed(cid, start)]
        assert asked == [Offered((bob.id, cid.id))]
        seen = [type(event.change) for event in await rooms.missed(bob, start)]
        assert seen == [Offered]


async def test_an_offer_is_the_guests_own(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, asks=True) as rooms:
        ann, bob, eve = await rooms.people("ann", "bob", "eve")
        room = str(await rooms.room(ann, bob))
        for answer in (rooms.memberships.accept, rooms.memberships.decline):
            assert await answer(eve.token, room) == RoomNotFound()
            assert await answer(eve.token, "x") == BadId()
        assert (
            await rooms.memberships.accept(ann.token, room) == RoomNotFound()
        )  # she is in, and was not asked
        assert await rooms.memberships.accept(bob.token, room) is None


async def test_offers_end(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, asks=True) as rooms:
        ann, bob = await rooms.people("ann", "bob")
        late, gone = await rooms.room(ann, bob), await rooms.room(ann, bob)
        await rooms.rooms.leave(ann.token, str(gone))  # and with her the room
        assert [offer.room for offer in await rooms.memberships.offers(bob.token)] == [late]  # type: ignore[union-attr]
        assert await rooms.memberships.accept(bob.token, str(gone)) == RoomNotFound()
        assert await rooms.memberships.invite(ann.token, str(late), [bob.id]) is None  # waits already
        rooms.clock.advance(OFFER_TTL)
        session = (await rooms.again(bob)).token
        assert await rooms.memberships.offers(session) == ()
        assert await rooms.memberships.accept(session, str(late)) == RoomNotFound()


async def test_a_full_room_takes_nobody_who_accepts(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, asks=True, max_members=2) as rooms:
        ann, bob, cid = await rooms.people("ann", "bob", "cid")
        room = str(await rooms.room(ann, bob))
        assert await rooms.memberships.invite(ann.token, room, [cid.id]) is None
        assert await rooms.memberships.accept(bob.token, room) is None
        assert await rooms.memberships.accept(cid.token, room) == TooManyUsers()
        await rooms.rooms.leave(bob.token, room)
        assert await rooms.memberships.accept(cid.token, room) is None


async def test_of_many_who_accept_at_once_so_many_come_in_as_have_room(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, asks=True, max_members=6) as rooms:
        ann, *guests = await rooms.people("ann", *(f"guest{number}" for number in range(10)))
        room = str(await rooms.room(ann))
        outcomes: list[object] = []
        for first in range(0, 10, 5):
            await rooms.memberships.invite(ann.token, room, ids(guests[first : first + 5]))

        async def accept(guest: Somebody) -> None:
            outcomes.append(await rooms.memberships.accept(guest.token, room))

        async with trio.open_nursery() as nursery:
            for guest in guests:
                nursery.start_soon(accept, guest)
        assert outcomes.count(None) == 5
        assert outcomes.count(TooManyUsers()) == 5


async def test_without_asking_events_say_who_was_brought(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        ann, bob, cid = await rooms.people("ann", "bob", "cid")
        start = await rooms.end()
        room = await rooms.room(ann, bob)
        await rooms.memberships.invite(ann.token, str(room), [cid.id])
        assert [event.change for event in await rooms.missed(bob, start)] == [
            Created((bob.id,)),
            Invited((cid.id,)),
        ]
        assert await rooms.memberships.offers(bob.token) == ()


# --- what a day allows
async def test_a_day_allows_so_many_posts_and_the_next_one_as_many(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, quota=QuotaPolicy(daily_posts=3)) as rooms:
        ann, bob = await rooms.people("ann", "bob")
        room = await rooms.room(ann, bob)

        async def post(person: Somebody, key: Idempotency | None = None) -> object:
            return await rooms.rooms.post(person.token, str(room), "x", key)

        for _ in range(2):
            assert isinstance(await post(ann), int)
        key = Idempotency("key", b"digest")
        last = await post(ann, key)
        assert isinstance(last, int)
        refusal = await post(ann)
        assert isinstance(refusal, QuotaExceeded)
        assert await post(ann, key) == last  # a retry gets its answer, and counts nothing
        assert isinstance(await post(bob), int)  # each has their own
        rooms.clock.advance((refusal.retry_after - 2) * SECOND)
        assert isinstance(await post(ann), QuotaExceeded)
        rooms.clock.advance(2 * SECOND)
        assert isinstance(await post(ann), int)


async def test_rooms_and_bytes_are_counted_too(tmp_path: Path) -> None:
    kept = 3 * (ROW_BYTES + MEMBER_BYTES) + ROW_BYTES + 5 * 1000 // 4
    async with open_rooms(tmp_path, quota=QuotaPolicy(daily_rooms=3, daily_bytes=kept)) as rooms:
        (ann,) = await rooms.people("ann")
        made = [await bring(rooms, ann) for _ in range(4)]
        assert [isinstance(room, int) for room in made] == [True, True, True, False]
        assert isinstance(made[3], QuotaExceeded)
        room = str(made[0])
        assert isinstance(await rooms.rooms.post(ann.token, room, "x" * 1001), QuotaExceeded)
        assert isinstance(await rooms.rooms.post(ann.token, room, "x" * 1000), int)
        assert isinstance(await rooms.rooms.post(ann.token, room, "x"), QuotaExceeded)
        rooms.clock.advance(DAY)
        assert isinstance(await rooms.rooms.post(ann.token, room, "x"), int)


async def test_who_names_many_pays_for_many(tmp_path: Path) -> None:
    allowed = ROW_BYTES + MEMBER_BYTES + ROW_BYTES + 5 * MEMBER_BYTES
    async with open_rooms(tmp_path, quota=QuotaPolicy(daily_bytes=allowed)) as rooms:
        ann, *others = await rooms.people("ann", *(f"p{number}" for number in range(6)))
        room = str(await rooms.room(ann))
        assert isinstance(await rooms.memberships.invite(ann.token, room, ids(others)), QuotaExceeded)
        assert await rooms.memberships.invite(ann.token, room, ids(others[:5])) is None


async def test_the_count_of_a_day_outlives_a_restart(tmp_path: Path) -> None:
    quota = QuotaPolicy(daily_posts=1)
    async with open_rooms(tmp_path, quota=quota) as rooms:
        (ann,) = await rooms.people("ann")
        room = await rooms.room(ann)
        assert isinstance(await rooms.rooms.post(ann.token, str(room), "x"), int)
    async with open_rooms(tmp_path, quota=quota) as rooms:
        assert isinstance(await rooms.rooms.post(ann.token, str(room), "x"), QuotaExceeded)


async def test_a_clock_that_was_ahead_takes_nobody_s_day(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, quota=QuotaPolicy(daily_posts=1)) as rooms:
        (ann,) = await rooms.people("ann")
        room = await rooms.room(ann)
        rooms.clock.advance(2 * DAY)
        assert isinstance(await rooms.rooms.post(ann.token, str(room), "x"), int)
        rooms.clock.advance(-2 * DAY + HOUR)
        assert isinstance(await rooms.rooms.post(ann.token, str(room), "x"), int)


# --- lists
async def test_a_list_comes_in_pages(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        ann, bob = await rooms.people("ann", "bob")
        made = [await rooms.room(ann, bob) for _ in range(5)]

        async def page(before: RoomId | None, limit: int) -> tuple[list[RoomId], bool]:
            found = await rooms.rooms.list(bob.token, before, limit)
            return [summary.room.id for summary in found.rooms], found.more  # type: ignore[union-attr]

        assert await page(None, 10) == (made, False)
        assert await page(None, 2) == (made[3:], True)
        assert await page(made[3], 2) == (made[1:3], True)
        assert await page(made[1], 2) == (made[:1], False)
        assert await page(RoomId(999), 2) == ([], False)


async def test_of_a_large_room_some_members_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        people = await rooms.crowd(LARGE_ROOM + 1)
        ann = people[0]
        room = await rooms.room(*people)
        (summary,) = (await rooms.rooms.list(ann.token)).rooms  # type: ignore[union-attr]
        assert (len(summary.members), summary.room.member_count) == (MEMBERS_SHOWN, LARGE_ROOM + 1)
        detail = await rooms.rooms.info(ann.token, str(room))
        assert len(detail.members) == MEMBERS_SHOWN  # type: ignore[union-attr]
        await rooms.rooms.leave(people[-1].token, str(room))
        (summary,) = (await rooms.rooms.list(ann.token)).rooms  # type: ignore[union-attr]
        assert len(summary.members) == summary.room.member_count == LARGE_ROOM


async def test_where_nothing_is_bounded_nothing_is_counted(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        (ann,) = await rooms.people("ann")
        room = str(await bring(rooms, ann))
        assert await rooms.rooms.post(ann.token, room, "x") == 1
    with closing(connect(tmp_path / "rooms.db", read_only=True)) as connection:
        assert connection.execute("SELECT * FROM allowance").fetchall() == []
