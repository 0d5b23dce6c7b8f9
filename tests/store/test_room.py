"""The contract of back ends for rooms: memberships, the event log and its audience, unread counts, stored answers."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import pytest

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.idempotency import Idempotency, StoredAnswer
from regserver.domain.instant import DAY, Instant, after
from regserver.domain.room import PostId, RoomId, RoomSummary
from regserver.domain.room_event import (
    START,
    Change,
    Created,
    EventId,
    Invited,
    Left,
    OfferAccepted,
    Offered,
    Position,
    Posted,
    RoomEvent,
)
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction

T = TypeVar("T")
NOW = Instant(1_600_000_000_000)


class World:
    """A store with people, and the few changes that tests make of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.events: list[RoomEvent] = []

    async def people(self, count: int) -> list[AccountId]:
        async def work(transaction: Transaction) -> list[AccountId]:
            made = []
            for number in range(count):
                new = NewAccount(username=f"person{number}", origin="rooms", created_at=NOW)
                account = await transaction.accounts.add(new)
                assert account is not None
                made.append(account)
            return made

        return await self.store.write(work)

    async def change(self, room: RoomId, actor: AccountId, change: Change, at: Instant = NOW) -> RoomEvent:
        """Writes the event with what it says: who comes, who goes, what is posted."""

        async def work(transaction: Transaction) -> RoomEvent:
            event = await transaction.events.append(room, actor, change, at)
            match change:
                case Created(others=others):
                    await transaction.rooms.join(event, (actor, *others))
                case Invited(newcomers=newcomers):
                    await transaction.rooms.join(event, newcomers)
                case Left():
                    if await transaction.rooms.is_alone(room, actor):
                        await transaction.rooms.remove(room)
                    await transaction.rooms.leave(room, actor, event.id)
                case OfferAccepted(newcomer=newcomer):
                    await transaction.rooms.join(event, (newcomer,))
                case Offered(guests=guests):
                    await transaction.rooms.ask_in(event, guests, ())
                case Posted():
                    pass
            return event

        event = await self.store.write(work)
        self.events.append(event)
        return event

    async def room(self, creator: AccountId, *others: AccountId, name: str | None = None) -> RoomId:
        room = await self.store.write(lambda transaction: transaction.rooms.add(name, NOW))
        await self.change(room, creator, Created(others))
        return room

    async def post(self, room: RoomId, author: AccountId, content: str = "x") -> PostId:
        post = await self.store.write(lambda transaction: transaction.posts.add(room, author, content, NOW))
        await self.change(room, author, Posted(post, content))
        return post

    async def posted(self, room: RoomId, author: AccountId, at: Instant = NOW) -> RoomEvent:
        """The event of a new post."""
        post = await self.store.write(lambda transaction: transaction.posts.add(room, author, "x", at))
        return await self.change(room, author, Posted(post, "x"), at)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self.store.read(work)

    async def seen(
        self, account: AccountId, start: int = 0, end: int = 1 << 40, limit: int = 100, *, echo: bool = False
    ) -> list[int]:
        first, last = EventId(start), EventId(end)
        events = await self.read(
            lambda transaction: transaction.events.seen(account, first, last, limit, echo=echo)
        )
        count = await self.read(
            lambda transaction: transaction.events.count_seen(account, first, last, echo=echo)
        )
        assert len(events) == min(count, limit)
        return [event.id for event in events]

    async def summary(self, account: AccountId) -> list[RoomSummary]:
        return list((await self.read(lambda transaction: transaction.rooms.page(account, None, 1000))).rooms)


@pytest.fixture
def world(any_store: Store) -> World:
    return World(any_store)


async def test_a_stay_begins_and_ends_with_its_events(world: World) -> None:
    ann, bob, cid = await world.people(3)
    room = await world.room(ann, bob)  # 1
    await world.post(room, ann)  # 2
    await world.change(room, ann, Invited((cid,)))  # 3
    await world.post(room, bob)  # 4
    await world.change(room, cid, Left(deleted=False))  # 5
    await world.post(room, ann)  # 6
    await world.change(room, bob, Invited((cid,)))  # 7
    await world.post(room, ann)  # 8
    assert await world.seen(ann) == [4, 5, 7]
    assert await world.seen(bob) == [1, 2, 3, 5, 6, 8]
    assert await world.seen(cid) == [3, 4, 7, 8]


async def test_an_echo_is_what_an_account_did_itself(world: World) -> None:
    ann, bob, cid = await world.people(3)
    room = await world.room(ann, bob)  # 1
    await world.post(room, ann)  # 2
    await world.change(room, ann, Offered((cid,)))  # 3
    await world.change(room, bob, Left(deleted=False))  # 4
    await world.post(room, ann)  # 5
    assert await world.seen(ann, echo=True) == [1, 2, 4, 5]
    assert await world.seen(bob, echo=True) == [1, 2, 4]
    assert await world.seen(ann) == [4]
    assert await world.seen(bob) == [1, 2]
    assert await world.seen(cid, echo=True) == [3]  # the offer itself


async def test_a_range_lies_after_its_start_and_up_to_its_end(world: World) -> None:
    ann, bob = await world.people(2)
    room = await world.room(ann, bob)  # 1
    for _ in range(5):
        await world.post(room, ann)  # 2 to 6
    assert await world.seen(bob, 2, 4) == [3, 4]
    assert await world.seen(bob, 0, 1) == [1]
    assert await world.seen(bob, 6) == []
    assert await world.seen(bob, 1, limit=2) == [2, 3]


async def test_events_outlive_their_room_but_what_was_said_there_does_not(world: World) -> None:
    ann, bob = await world.people(2)
    room = await world.room(ann, bob)  # 1
    await world.post(room, ann, "the last word")  # 2
    await world.change(room, bob, Left(deleted=False))  # 3
    assert await world.seen(bob) == [1, 2]
    await world.change(room, ann, Left(deleted=True))  # 4, and the room is gone
    assert await world.read(lambda transaction: transaction.rooms.access(room, ann)) is None
    assert await world.seen(bob) == [1]
    assert await world.seen(ann) == [3]


async def test_events_come_back_as_they_were_written(world: World) -> None:
    ann, bob, cid = await world.people(3)
    room = await world.room(ann, bob)
    await world.post(room, ann, 'emoji 🫖, quote " and \\, line\nbreak, \u2028')
    await world.change(room, ann, Invited((cid,)))
    await world.change(room, ann, Left(deleted=True))
    last = world.events[-1].id
    events = await world.read(
        lambda transaction: transaction.events.seen(bob, EventId(0), last, 10, echo=False)
    )
    assert list(events) == world.events


async def test_visibility_follows_the_memberships(world: World) -> None:
    """Any history: what the query gives is what somebody who was there all the time would have heard."""
    chance = random.Random(7)  # noqa: S311  (for a test)
    people = await world.people(4)
    rooms = [await world.room(people[0], people[1]) for _ in range(3)]
    inside = {room: {people[0], people[1]} for room in rooms}
    heard: dict[AccountId, list[int]] = {person: [] for person in people}
    heard[people[1]] = [event.id for event in world.events]
    for _ in range(300):
        room = chance.choice(rooms)
        if not inside[room]:
            continue
        actor = chance.choice(sorted(inside[room]))
        change = chance.choice(["post", "post", "invite", "leave"])
        before = set(inside[room])
        if change == "post":
            await world.post(room, actor)
        elif change == "invite" and (new := [p for p in people if p not in inside[room]]):
            await world.change(room, actor, Invited(tuple(new)))
            inside[room] |= set(new)
        elif change == "leave" and len(before) > 1:
            await world.change(room, actor, Left(deleted=False))
            inside[room].discard(actor)
        else:
            continue
        for person in before | inside[room]:
            if person != actor:
                heard[person].append(world.events[-1].id)
    for person in people:
        assert await world.seen(person, limit=1000) == heard[person]
        middle = heard[person][len(heard[person]) // 2]
        assert await world.seen(person, middle, limit=1000) == [e for e in heard[person] if e > middle]


async def test_people_are_found_by_the_beginning_of_their_names(world: World) -> None:
    ann, bob, cid = await world.people(3)  # person0, person1, person2
    await world.room(ann, bob)

    async def found(start: str, limit: int = 9) -> tuple[list[int], list[int]]:
        async def work(transaction: Transaction) -> tuple[list[int], list[int]]:
            known = await transaction.rooms.known_names(ann, start, limit)
            everybody = await transaction.rooms.all_names(ann, start, limit)
            return [one.account for one in known], [one.account for one in everybody]

        return await world.read(work)

    assert await found("person") == ([bob], [bob, cid])
    assert await found("person", 1) == ([bob], [bob])
    assert await found("person2") == ([], [cid])
    assert await found("erson") == await found("%") == ([], [])


async def test_names_are_sorted_by_code_points_whatever_the_database_sorts_by(world: World) -> None:
    names = ["name9", "name_", "namea", "namez", "nameé"]

    async def work(transaction: Transaction) -> list[AccountId]:
        made = [
            await transaction.accounts.add(NewAccount(username=name, origin="rooms", created_at=NOW))
            for name in names[::-1]
        ]
        return [one for one in made if one is not None]

    await world.room(*await world.people(1), *await world.store.write(work))
    (reader,) = await world.read(lambda transaction: transaction.rooms.all_names(AccountId(0), "person", 1))
    for limit in (3, 5):
        known = await world.read(lambda it: it.rooms.known_names(reader.account, "name", limit))  # noqa: B023
        everybody = await world.read(lambda it: it.rooms.all_names(reader.account, "name", limit))  # noqa: B023
        assert [one.username for one in known] == [one.username for one in everybody] == names[:limit]


# --- positions
async def test_positions_begin_at_the_start(world: World) -> None:
    assert await world.read(lambda transaction: transaction.events.end()) == START
    assert await world.read(lambda transaction: transaction.events.cut()) == START
    assert await world.read(lambda transaction: transaction.events.reaches(START))


async def test_only_positions_that_were_given_out_are_reached(world: World) -> None:
    (ann,) = await world.people(1)
    room = await world.room(ann)
    event = await world.posted(room, ann, Instant(NOW + 5))
    assert await world.read(lambda transaction: transaction.events.end()) == event.position
    for position, reached in (
        (event.position, True),
        (START, True),
        (Position(event.id, Instant(event.at - 1)), False),  # another event of this number
        (Position(EventId(event.id + 1), event.at), False),  # not written yet
    ):
        assert await world.read(lambda t, position=position: t.events.reaches(position)) is reached  # type: ignore[misc]


async def trim(world: World, before: int, limit: int = 100) -> int:
    return await world.store.write(lambda transaction: transaction.events.trim(Instant(before), limit))


async def test_trimming_cuts_from_the_beginning_and_says_so(world: World) -> None:
    ann, bob = await world.people(2)
    room = await world.room(ann, bob)  # 1, at NOW
    events = [await world.posted(room, ann, Instant(NOW + n)) for n in range(1, 6)]  # 2 to 6
    assert await trim(world, NOW) == 0
    assert await trim(world, NOW + 3) == 3  # NOW, NOW + 1, NOW + 2
    assert await world.seen(bob) == [4, 5, 6]
    assert await world.read(lambda transaction: transaction.events.cut()) == events[1].position
    assert await world.read(lambda transaction: transaction.events.reaches(events[1].position))
    assert not await world.read(lambda transaction: transaction.events.reaches(events[0].position))
    assert not await world.read(lambda transaction: transaction.events.reaches(START))
    assert await world.read(lambda transaction: transaction.events.reaches(events[2].position))


async def test_the_newest_event_is_never_cut(world: World) -> None:
    (ann,) = await world.people(1)
    room = await world.room(ann)
    last = await world.posted(room, ann)
    assert await trim(world, NOW + 10 * DAY) == 1
    assert await trim(world, NOW + 10 * DAY) == 0
    assert await world.read(lambda transaction: transaction.events.end()) == last.position
    following = await world.posted(room, ann)
    assert following.id > last.id


async def test_whether_a_reader_can_go_on(world: World) -> None:
    (ann,) = await world.people(1)
    room = await world.room(ann)  # 1
    posts = [await world.posted(room, ann, Instant(NOW + n)) for n in range(1, 4)]  # 2 to 4

    async def continues(known: Position, read: int) -> bool:
        return await world.read(lambda transaction: transaction.events.continues(known, EventId(read)))

    second, third, last = [post.position for post in posts]
    assert await continues(START, 0)
    assert await continues(last, 4)
    assert not await continues(Position(last.id, Instant(last.at + 1)), 4)  # another event of this number
    assert not await continues(Position(EventId(5), last.at), 5)
    assert await trim(world, NOW + 3) == 3  # 1 to 3
    assert [await continues(second, read) for read in (2, 3, 4)] == [False, True, True]
    assert await continues(third, 3)
    assert not await continues(START, 0)


async def test_trimming_goes_in_steps(world: World) -> None:
    (ann,) = await world.people(1)
    room = await world.room(ann)
    for _ in range(10):
        await world.posted(room, ann)
    assert [await trim(world, NOW + 1, limit=4) for _ in range(4)] == [4, 4, 2, 0]


async def test_an_older_event_behind_a_younger_one_waits(world: World) -> None:
    """A clock that was set back: the log is cut in its own order, so that nothing of what follows is missing."""
    ann, bob = await world.people(2)
    room = await world.room(ann, bob)  # 1, at NOW
    await world.posted(room, ann, Instant(NOW + 100))  # 2
    await world.posted(room, ann, Instant(NOW + 1))  # 3
    await world.posted(room, ann, Instant(NOW + 100))  # 4
    assert await trim(world, NOW + 50) == 1
    assert await world.seen(bob) == [2, 3, 4]


async def test_ended_stays_go_with_the_log(world: World) -> None:
    ann, bob = await world.people(2)
    room = await world.room(ann, bob)  # 1
    await world.change(room, bob, Left(deleted=False))  # 2
    await world.change(room, ann, Invited((bob,)), Instant(NOW + 9))  # 3
    assert await trim(world, NOW + 5) == 2
    assert await world.seen(bob) == [3]
    assert await world.read(lambda transaction: transaction.rooms.of_account(bob)) == (room,)


# --- lists and counts
async def test_unread_counts_the_posts_of_others_after_the_mark(world: World) -> None:
    ann, bob = await world.people(2)
    room, other = await world.room(ann, bob), await world.room(ann, bob)

    async def unread(account: AccountId) -> list[int]:
        return [summary.unread for summary in await world.summary(account)]

    async def mark(account: AccountId, post: PostId) -> bool:
        return await world.store.write(lambda transaction: transaction.rooms.mark_seen(room, account, post))

    assert await unread(bob) == [0, 0]
    posts = [await world.post(room, author) for author in (ann, bob, ann, ann, bob, ann)]
    await world.post(other, ann)
    assert await unread(bob) == [4, 1]
    assert await unread(ann) == [2, 0]
    for post, left in zip(posts, (3, 3, 2, 1, 1, 0), strict=True):
        assert await mark(bob, post)
        assert await unread(bob) == [left, 1]
    assert not await mark(bob, posts[0])  # never back
    assert not await mark(bob, posts[-1])
    assert await unread(bob) == [0, 1]
    await world.post(room, bob)
    assert await unread(bob) == [0, 1]
    assert await unread(ann) == [3, 0]


async def test_summaries_show_members_and_last_posts(world: World) -> None:
    ann, bob, cid = await world.people(3)
    empty = await world.room(ann, name="Empty")
    full = await world.room(bob, ann, cid)
    await world.post(full, bob, "first")
    last = await world.post(full, cid, "last")
    left = await world.room(ann, bob)
    await world.change(left, ann, Left(deleted=False))
    first, second = await world.summary(ann)
    assert (first.room.id, first.name, first.last_post, first.unread) == (empty, "Empty", None, 0)
    assert first.members == (ann,)
    assert (second.name, second.members) == ("person0, person1, person2", (ann, bob, cid))
    assert second.last_post is not None
    assert (second.room.id, second.last_post.id, second.last_post.username) == (full, last, "person2")
    assert second.unread == 2


async def test_pages_of_posts(world: World) -> None:
    (ann,) = await world.people(1)
    room, other = await world.room(ann), await world.room(ann)
    posts = []
    for _ in range(7):
        posts.append(await world.post(room, ann))
        await world.post(other, ann)

    async def page(before: PostId | None, limit: int) -> list[PostId]:
        found = await world.read(lambda transaction: transaction.posts.page(room, before, limit))
        return [post.id for post in found]

    assert await page(None, 3) == posts[4:]
    assert await page(posts[4], 3) == posts[1:4]
    assert await page(posts[1], 3) == posts[:1]
    assert await page(posts[0], 3) == []
    following = await world.read(lambda t: t.posts.following(room, posts[2], 3))
    assert [post.id for post in following] == posts[3:6]
    assert await world.read(lambda t: t.posts.following(room, posts[6], 3)) == ()
    assert await world.read(lambda t: t.posts.newest_ids(room, 2)) == tuple(posts[5:])


async def test_a_removed_room_takes_its_posts_along(world: World) -> None:
    (ann,) = await world.people(1)
    room = await world.room(ann)
    post = await world.post(room, ann)
    await world.change(room, ann, Left(deleted=False))
    assert await world.read(lambda transaction: transaction.posts.by_id(post)) is None


async def test_nobody_is_in_a_room_twice(world: World) -> None:
    ann, bob = await world.people(2)
    room = await world.room(ann, bob)
    again = msgspec.structs.replace(world.events[-1], id=EventId(9))
    with pytest.raises(StoreFault, match=r"(?i)unique"):
        await world.store.write(lambda transaction: transaction.rooms.join(again, [bob]))
    present = await world.read(lambda transaction: transaction.rooms.present(room, [ann, bob, AccountId(99)]))
    assert present == {ann, bob}


# --- retries
async def test_answers_are_kept_for_a_day(world: World) -> None:
    retry = Idempotency("key", b"digest")

    async def find(scope: str, key: str, now: int) -> StoredAnswer | None:
        return await world.read(lambda transaction: transaction.idempotency.find(scope, key, Instant(now)))

    async def answer(asked: Idempotency, answer: int | None, now: Instant) -> StoredAnswer | None:
        async def work(transaction: Transaction) -> StoredAnswer | None:
            earlier = await transaction.idempotency.take("a", asked, now)
            if earlier is None:
                await transaction.idempotency.keep("a", asked.key, answer)
            return earlier

        return await world.store.write(work)

    assert await answer(retry, 7, NOW) is None
    assert await answer(Idempotency("key", b"another"), 8, NOW) == StoredAnswer(b"digest", 7)
    assert await find("a", "key", NOW) == StoredAnswer(b"digest", 7)
    assert await find("b", "key", NOW) is None
    assert await find("a", "other", NOW) is None
    assert await find("a", "key", NOW + DAY - 1) == StoredAnswer(b"digest", 7)
    assert await find("a", "key", NOW + DAY) is None
    # A lapsed key may be used anew, also before it was purged.
    again = Idempotency("key", b"another")
    assert await answer(again, None, after(NOW, DAY)) is None
    assert await find("a", "key", NOW + DAY) == StoredAnswer(b"another", None)
    assert (
        await world.store.write(lambda transaction: transaction.idempotency.purge(after(NOW, 2 * DAY))) == 1
    )


async def test_a_key_that_was_given_up_is_free(world: World) -> None:
    async def refuse(transaction: Transaction) -> StoredAnswer | None:
        earlier = await transaction.idempotency.take("a", Idempotency("key", b"digest"), NOW)
        await transaction.idempotency.release("a", "key")
        return earlier

    assert await world.store.write(refuse) is None
    assert await world.store.write(refuse) is None
