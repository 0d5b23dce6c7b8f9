"""Rooms as use cases on a real store: permissions, changes, races, and repeated requests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.account import AccountId
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    BadToken,
    IdempotencyConflict,
    NotInRoom,
    PostNotFound,
    RoomNotFound,
    TooManyUsers,
    UserIsDeleted,
)
from regserver.domain.room import PostId, PostPage, RoomDetail, RoomId
from regserver.domain.secret import hash_secret
from regserver.ports.transaction import Transaction
from tests.rooms import Rooms, Somebody, ids, made, open_rooms


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path, max_members=10) as opened:
        yield opened


async def events(rooms: Rooms) -> int:
    return (await rooms.end()).id


async def members(rooms: Rooms, person: Somebody, room: RoomId) -> list[AccountId]:
    detail = made(RoomDetail, await rooms.rooms.info(person.token, str(room)))
    return [member.account for member in detail.members]


async def test_a_room_has_its_creator_once_and_everybody_named(rooms: Rooms) -> None:
    ann, bob, cid = await rooms.people("ann", "bob", "cid")
    room = await rooms.memberships.create(ann.token, "Tea", ids([bob, ann, cid, bob]))
    assert await members(rooms, ann, RoomId(made(int, room))) == ids([ann, bob, cid])
    assert await events(rooms) == 1


async def test_one_unknown_name_fails_the_whole_call(rooms: Rooms) -> None:
    ann, bob, gone = await rooms.people("ann", "bob", "gone")
    await rooms.delete(gone.token)
    nobody = AccountId(777)
    before = await events(rooms)
    refusal = await rooms.memberships.create(ann.token, None, [bob.id, nobody, gone.id, nobody])
    assert refusal == AccountNotFound((nobody, gone.id))
    room = await rooms.room(ann)
    assert await rooms.memberships.invite(ann.token, str(room), [bob.id, nobody]) == AccountNotFound(
        (nobody,)
    )
    assert await members(rooms, ann, room) == [ann.id]
    assert await events(rooms) == before + 1


async def test_a_room_is_bounded(rooms: Rooms) -> None:
    crowd = await rooms.people(*(f"person{n}" for n in range(12)))
    assert await rooms.memberships.create(crowd[0].token, None, ids(crowd[1:11])) == TooManyUsers()
    room = await rooms.room(*crowd[:9])
    assert await rooms.memberships.invite(crowd[0].token, str(room), ids(crowd[9:11])) == TooManyUsers()
    assert await rooms.memberships.invite(crowd[0].token, str(room), ids(crowd[:10])) is None
    assert await rooms.memberships.invite(crowd[0].token, str(room), ids(crowd[:10])) is None  # nobody new
    assert await rooms.memberships.invite(crowd[0].token, str(room), ids(crowd[10:11])) == TooManyUsers()


async def test_an_invitation_of_nobody_new_is_no_event(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    before = await events(rooms)
    assert await rooms.memberships.invite(ann.token, str(room), ids([ann, bob, ann])) is None
    assert await events(rooms) == before


async def test_two_invitations_of_one_person_bring_them_in_once(rooms: Rooms) -> None:
    ann, bob, cid = await rooms.people("ann", "bob", "cid")
    room = await rooms.room(ann, bob)
    async with trio.open_nursery() as nursery:
        for host in (ann, bob) * 5:
            nursery.start_soon(rooms.memberships.invite, host.token, str(room), [cid.id])
    assert await members(rooms, ann, room) == ids([ann, bob, cid])
    assert await events(rooms) == 2


async def test_the_order_of_refusals(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann)
    stranger = hash_secret("nobody's token")
    for text, refusal in (("0", BadId()), ("x", BadId()), ("999", RoomNotFound()), (str(room), NotInRoom())):
        assert await rooms.rooms.post(stranger, text, "x") == BadToken()
        assert await rooms.rooms.post(bob.token, text, "x") == refusal
        assert await rooms.rooms.leave(bob.token, text) == refusal
        assert await rooms.rooms.info(bob.token, text) == refusal
        assert await rooms.rooms.read_all(bob.token, text, None, 10) == refusal
        assert await rooms.marks.seen(bob.token, text, PostId(1)) == refusal
    post = await rooms.post(ann, room)
    assert await rooms.rooms.read(bob.token, "0") == BadId()
    assert await rooms.rooms.read(bob.token, "999") == PostNotFound()
    assert await rooms.rooms.read(bob.token, str(post)) == NotInRoom()
    await rooms.delete(ann.token)
    assert await rooms.rooms.post(ann.token, str(room), "x") == UserIsDeleted()


async def test_marks_take_only_posts_of_the_room(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    room, other = await rooms.room(ann), await rooms.room(ann)
    post = await rooms.post(ann, other)
    assert await rooms.marks.seen(ann.token, str(room), PostId(post)) == PostNotFound()
    assert await rooms.marks.seen(ann.token, str(room), PostId(999)) == PostNotFound()
    assert await rooms.marks.seen(ann.token, str(other), PostId(post)) is None


async def test_the_last_one_takes_the_room_along(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    post = await rooms.post(ann, room)
    assert await rooms.rooms.leave(ann.token, str(room)) is None
    assert await rooms.rooms.leave(ann.token, str(room)) == NotInRoom()
    assert await rooms.rooms.leave(bob.token, str(room)) is None
    assert await rooms.rooms.leave(bob.token, str(room)) == RoomNotFound()
    assert await rooms.rooms.read(bob.token, str(post)) == PostNotFound()


@pytest.mark.parametrize("deleting", [False, True])
async def test_concurrent_last_leaves_leave_no_empty_room(rooms: Rooms, deleting: bool) -> None:
    crowd = await rooms.people(*(f"person{n}" for n in range(8)))
    room_ids = [await rooms.room(*crowd) for _ in range(5)]

    async def go(person: Somebody) -> None:
        if deleting:
            assert await rooms.delete(person.token) is None
            return
        for room in room_ids:
            assert await rooms.rooms.leave(person.token, str(room)) is None

    before = await events(rooms)
    async with trio.open_nursery() as nursery:
        for person in crowd:
            nursery.start_soon(go, person)
    assert await events(rooms) == before + 8 * 5

    async def left_over(transaction: Transaction) -> list[RoomId]:
        return [room for room in room_ids if await transaction.rooms.access(room, crowd[0].id) is not None]

    assert await rooms.store.read(left_over) == []


async def test_pages_go_back_to_the_first_post(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    room = await rooms.room(ann)
    posts = [await rooms.post(ann, room, str(n)) for n in range(25)]
    found: list[int] = []
    before = None
    while True:
        page = made(PostPage, await rooms.rooms.read_all(ann.token, str(room), before, 10))
        found = [post.id for post in page.posts] + found
        if not page.more:
            break
        before = page.posts[0].id
    assert found == posts


async def test_pages_go_forward_to_the_last_post(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    room, other = await rooms.room(ann), await rooms.room(ann)
    posts = []
    for n in range(25):
        posts.append(await rooms.post(ann, room, str(n)))
        await rooms.post(ann, other, str(n))
    found: list[int] = [posts[2]]
    for more in (True, True, False):
        page = made(
            PostPage, await rooms.rooms.read_all(ann.token, str(room), None, 10, after=PostId(found[-1]))
        )
        found += [post.id for post in page.posts]
        assert page.more is more
    assert found == posts[2:]


# --- requests that are made twice
KEYED = Idempotency("key", b"one request")


async def test_a_repeated_post_is_one_post(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    room = await rooms.room(ann)
    answers = []

    async def post() -> None:
        answers.append(await rooms.rooms.post(ann.token, str(room), "x", KEYED))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(post)
    assert len(set(answers)) == 1
    assert await events(rooms) == 2
    other = Idempotency("key", b"another request")
    assert await rooms.rooms.post(ann.token, str(room), "y", other) == IdempotencyConflict()
    assert await events(rooms) == 2


async def test_a_key_is_good_for_a_day(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    room = await rooms.room(ann)
    first = await rooms.rooms.post(ann.token, str(room), "x", KEYED)
    rooms.clock.advance(DAY - 1)
    assert await rooms.rooms.post(ann.token, str(room), "x", KEYED) == first
    rooms.clock.advance(1)
    assert await rooms.rooms.post(ann.token, str(room), "x", KEYED) != first


async def test_keys_of_two_people_have_nothing_to_do_with_each_other(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann, bob)
    posts = {await rooms.rooms.post(person.token, str(room), "x", KEYED) for person in (ann, bob)}
    assert len(posts) == 2


async def test_every_change_may_be_repeated(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    create = Idempotency("create", b"")
    room = await rooms.memberships.create(ann.token, None, [], create)
    assert await rooms.memberships.create(ann.token, None, [], create) == room
    post = made(int, await rooms.rooms.post(ann.token, str(room), "x"))
    for _ in range(2):
        assert (
            await rooms.memberships.invite(ann.token, str(room), [bob.id], Idempotency("invite", b"")) is None
        )
        assert await rooms.marks.seen(bob.token, str(room), PostId(post), Idempotency("seen", b"")) is None
    for person in (bob, ann):
        for _ in range(2):  # the second time there is no such room any more
            assert await rooms.rooms.leave(person.token, str(room), Idempotency("leave", b"")) is None
    assert await events(rooms) == 5


async def test_a_refusal_is_not_kept(rooms: Rooms) -> None:
    ann, bob = await rooms.people("ann", "bob")
    room = await rooms.room(ann)
    assert await rooms.rooms.post(bob.token, str(room), "x", KEYED) == NotInRoom()
    await rooms.memberships.invite(ann.token, str(room), [bob.id])
    assert isinstance(await rooms.rooms.post(bob.token, str(room), "x", KEYED), int)


async def test_a_key_does_not_outlive_its_token(rooms: Rooms) -> None:
    (ann,) = await rooms.people("ann")
    room = await rooms.room(ann)
    await rooms.rooms.post(ann.token, str(room), "x", KEYED)
    await rooms.accounts.sign_out(ann.token, everywhere=False)
    assert await rooms.rooms.post(ann.token, str(room), "x", KEYED) == BadToken()
