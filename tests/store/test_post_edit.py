"""Edited and deleted posts on every store: what the log gives to whom, and what is kept of a post."""

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.instant import Instant
from regserver.domain.room import Post, PostId, RoomId
from regserver.domain.room_event import Change, Created, Edited, EventId, Posted, Retracted
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from tests.fake import EPOCH

LATER = Instant(EPOCH + 1000)


async def room_of_two(transaction: Transaction) -> tuple[AccountId, AccountId, RoomId]:
    ann, bob = [
        await transaction.accounts.add(NewAccount(username=name, origin="rooms", created_at=EPOCH))
        for name in ("ann", "bob")
    ]
    room = await transaction.rooms.add("Tea", EPOCH)
    event = await transaction.events.append(room, ann, Created((bob,)), EPOCH)
    await transaction.rooms.join(event, (ann, bob))
    return ann, bob, room


async def write(transaction: Transaction, author: AccountId, room: RoomId, content: str) -> Post:
    number = await transaction.posts.add(room, author, content, EPOCH)
    await transaction.events.append(room, author, Posted(number, content), EPOCH)
    post = await transaction.posts.by_id(number)
    assert post is not None
    return post


async def heard(transaction: Transaction, account: AccountId, *, edits: bool) -> list[Change]:
    end = (await transaction.events.end()).id
    events = await transaction.events.seen(account, EventId(1), end, 100, echo=False, edits=edits)
    count = await transaction.events.count_seen(account, EventId(1), end, echo=False, edits=edits)
    assert count == len(events)
    return [event.change for event in events]


async def test_who_asks_for_edits_hears_of_them_and_others_hear_what_there_was(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        ann, bob, room = await room_of_two(transaction)
        first, second = [await write(transaction, ann, room, text) for text in ("one", "two")]
        for text in ("eins", "un"):
            post = await transaction.posts.by_id(first.id)
            assert post is not None
            await transaction.posts.edit(post, text, LATER)
            await transaction.events.append(room, ann, Edited(first.id, text), LATER)
        await transaction.posts.remove(second)
        await transaction.events.append(room, ann, Retracted(second.id), LATER)
        assert await heard(transaction, bob, edits=False) == [Posted(first.id, "one")]
        assert await heard(transaction, bob, edits=True) == [
            Posted(first.id, "one"),
            Edited(first.id, "un"),
            Edited(first.id, "un"),
            Retracted(second.id),
        ]
        tail = await transaction.events.after(EventId(1), 100)
        assert [event.change if event else None for _, event in tail] == [
            Posted(first.id, "one"),
            None,
            Edited(first.id, "un"),
            Edited(first.id, "un"),
            Retracted(second.id),
        ]
        shown = await transaction.posts.by_id(first.id)
        assert shown is not None
        assert (shown.content, shown.edited_at) == ("un", LATER)
        assert await transaction.posts.by_id(second.id) is None
        assert await transaction.posts.forget_originals(LATER) == 0
        assert await transaction.posts.forget_originals(Instant(LATER + 1)) == 1

    await any_store.write(work)


async def test_the_next_posts_move_up(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        ann, bob, room = await room_of_two(transaction)
        posts = [await write(transaction, author, room, "x") for author in (ann, bob, ann, ann, bob)]
        await transaction.rooms.mark_seen(room, bob, posts[2].id)

        async def unread(account: AccountId) -> int:
            return (await transaction.rooms.page(account, None, 1)).rooms[0].unread

        assert (await unread(ann), await unread(bob)) == (2, 1)
        await transaction.posts.remove(posts[2])
        assert (await unread(ann), await unread(bob)) == (2, 1)
        await transaction.posts.remove(posts[1])
        assert (await unread(ann), await unread(bob)) == (1, 1)
        await transaction.posts.remove(posts[3])
        assert (await unread(ann), await unread(bob)) == (1, 0)
        new = await write(transaction, ann, room, "new")
        assert (await unread(ann), await unread(bob)) == (1, 1)
        assert await transaction.posts.newest_ids(room, 9) == (posts[0].id, posts[4].id, new.id)
        assert await transaction.posts.by_id(PostId(999)) is None

    await any_store.write(work)
