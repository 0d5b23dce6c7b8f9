"""What the store has to do for Web Push, on every store: who is found, one message for a room, leases, and one mover of the position."""

import trio

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.address import plain_address
from regserver.domain.instant import Instant
from regserver.domain.push import EndpointHash, PushMessage, SubscriptionId
from regserver.domain.room import RoomId
from regserver.domain.room_event import Created, EventId, Left
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.session import SessionId
from regserver.ports.push_subscription_table import NewPushSubscription
from regserver.ports.store import Store
from regserver.ports.token_table import NewSession
from regserver.ports.transaction import Transaction
from tests.fake import EPOCH

LATER = Instant(EPOCH + 1_000_000)
PATH = plain_address("192.0.2.1")


async def sign_up(transaction: Transaction, name: str) -> tuple[AccountId, SecretHash]:
    account = await transaction.accounts.add(NewAccount(username=name, origin="rooms", created_at=EPOCH))
    token = hash_secret(name)
    await transaction.tokens.add(
        NewSession(
            token=token,
            account=account,
            id=SessionId(int(account)),
            name=None,
            agent="",
            network=PATH,
            created_at=EPOCH,
            expires_at=LATER,
        )
    )
    return account, token


async def subscribe(
    transaction: Transaction, account: AccountId, token: SecretHash, endpoint: str, most: int = 20
) -> SubscriptionId:
    new = NewPushSubscription(
        account=account,
        token=token,
        endpoint=EndpointHash(endpoint.encode().ljust(32, b".")),
        host="push.example.net",
        sealed=endpoint.encode(),
        language="fr",
        shows_content=True,
        created_at=EPOCH,
    )
    return await transaction.push_subscriptions.add(new, most)


def message(subscription: SubscriptionId, room: RoomId, *, posts: int = 1, at: int = EPOCH) -> PushMessage:
    return PushMessage(
        subscription=subscription,
        room=room,
        actor=AccountId(1),
        post=None,
        posts=posts,
        created_at=Instant(at),
    )


async def test_who_is_told(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        table = transaction.push_subscriptions
        assert not await table.any()
        people = [await sign_up(transaction, name) for name in ("ann", "bob", "cid", "dan")]
        ann, bob, cid, dan = [account for account, _ in people]
        numbers = [await subscribe(transaction, *person, str(person[0])) for person in people]
        assert await table.any()
        room = await transaction.rooms.add("Tea", EPOCH)
        event = await transaction.events.append(room, ann, Created((bob, cid)), EPOCH)
        await transaction.rooms.join(event, (ann, bob, cid))
        assert set(await table.of_room(room, event.id, EPOCH)) == set(
            zip(numbers[:3], (ann, bob, cid), strict=True)
        )
        assert await table.of_room(room, EventId(event.id - 1), EPOCH) == ()  # not of what was before
        assert await table.of_room(room, event.id, LATER) == ()  # the sessions are over
        await table.mute(bob, room, 1)
        await table.mute(bob, RoomId(99), 1)  # one too many
        assert await table.muted(bob) == (room,)
        left = await transaction.events.append(room, cid, Left(deleted=False), EPOCH)
        await transaction.rooms.leave(room, cid, left.id)
        assert await table.of_room(room, left.id, EPOCH) == ((numbers[0], ann),)
        await table.unmute(bob, room)
        assert len(await table.of_room(room, left.id, EPOCH)) == 2
        assert await table.of_accounts([dan, AccountId(99)], EPOCH) == ((numbers[3], dan),)
        await transaction.tokens.remove(dan, None, own=True, others=True, named=True)
        assert await table.of_accounts([dan], EPOCH) == ()
        assert await table.find(numbers[3], EPOCH) is None
        found = await table.find(numbers[0], EPOCH)
        assert found is not None
        assert (found.account, found.sealed, found.language, found.shows_content) == (ann, b"1", "fr", True)

    await any_store.write(work)


async def test_an_endpoint_is_one_accounts_and_an_account_has_so_many(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        table = transaction.push_subscriptions
        ann, bob = [await sign_up(transaction, name) for name in ("ann", "bob")]
        first = await subscribe(transaction, *ann, "shared")
        second = await subscribe(transaction, *bob, "shared")
        assert await table.of_account(ann[0]) == ()
        assert [one.id for one in await table.of_account(bob[0])] == [second]
        assert not await table.remove(ann[0], second)
        assert not await table.remove(ann[0], first)
        made = [await subscribe(transaction, *bob, str(number), 3) for number in range(5)]
        assert [one.id for one in await table.of_account(bob[0])] == made[:1:-1]
        await table.drop(made[-1])
        assert await table.remove(bob[0], made[-2])
        assert [one.id for one in await table.of_account(bob[0])] == [made[-3]]

    await any_store.write(work)


async def test_of_one_room_one_message_waits(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        queue = transaction.push_queue
        number = await subscribe(transaction, *await sign_up(transaction, "ann"), "x")
        tea, hall = RoomId(1), RoomId(2)
        await queue.add([message(number, tea), message(number, hall)], Instant(EPOCH + 5))
        await queue.add([message(number, tea, posts=4, at=EPOCH + 1)], Instant(EPOCH + 9))
        assert await queue.next_due() == EPOCH + 5
        assert await queue.lease("one", EPOCH, LATER, 10) == ()
        leased = await queue.lease("one", Instant(EPOCH + 5), LATER, 10)
        assert {(it.room, it.posts, it.attempts) for it in leased} == {(tea, 5, 1), (hall, 1, 1)}
        assert await queue.lease("two", Instant(EPOCH + 6), LATER, 10) == ()
        by_room = {it.room: it for it in leased}
        await queue.add([message(number, tea, at=EPOCH + 7)], Instant(EPOCH + 9))  # while it is being sent
        for it in leased:
            await queue.remove(it)
        (again,) = await queue.lease("two", Instant(EPOCH + 7), LATER, 10)
        assert (again.room, again.posts, again.attempts) == (tea, 6, 1)
        await queue.postpone(again, Instant(EPOCH + 20))
        assert await queue.next_due() == EPOCH + 20
        assert len(await queue.lease("two", Instant(EPOCH + 20), LATER, 10)) == 1
        assert await queue.release("one", EPOCH) == 0
        assert await queue.release("two", EPOCH) == 1
        await transaction.push_subscriptions.drop(number)
        assert await queue.next_due() is None
        assert by_room[hall].post is None

    await any_store.write(work)


async def test_one_of_two_nodes_moves_the_position(any_store: Store) -> None:
    moved: list[bool] = []

    async def move(transaction: Transaction) -> bool:
        return await transaction.push_queue.move(EventId(5), EventId(0))

    async def one() -> None:
        moved.append(await any_store.write(move))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(one)
    assert sorted(moved) == [False, False, False, True]
    assert await any_store.read(lambda transaction: transaction.push_queue.position()) == 5
