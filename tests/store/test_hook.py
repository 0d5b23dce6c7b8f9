"""Webhooks in the tables, on every store: who is told of what, in which order, leased to whom."""

from functools import partial

import pytest
import trio

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.instant import HOUR, SECOND, Instant, after
from regserver.domain.instant import Duration as Life
from regserver.domain.room_event import Created, Left, Posted
from regserver.domain.webhook import HookDelivery, HookKind, HookPosition, WebhookId, account_hook, read_kinds
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.webhook_relay import PAGE, WebhookRelay
from regserver.store.sql.hook_rows import RUN, SUBJECTS
from tests.fake import EPOCH

NOW = Instant(EPOCH + HOUR)
UNTIL = after(NOW, Life(HOUR))


async def add(store: Store, kinds: str = "", now: Instant = EPOCH) -> WebhookId:
    stored = read_kinds(kinds)
    assert stored is not None
    return await store.write(lambda transaction: transaction.hooks.add(b"sealed", stored, "", now))


async def tell(store: Store, account: int, kind: HookKind = "user.created") -> None:
    event = account_hook(kind, AccountId(account), EPOCH, {"door": "rooms"})
    await store.write(lambda transaction: transaction.hooks.tell(event))


async def lease(
    store: Store, webhook: WebhookId, node: str = "here", now: Instant = NOW
) -> tuple[tuple[HookDelivery, ...], ...]:
    return await store.write(
        lambda transaction: transaction.hooks.lease(webhook, node, now, after(now, Life(HOUR)))
    )


def positions(runs: tuple[tuple[HookDelivery, ...], ...]) -> list[list[int]]:
    return [[each.position for each in run] for run in runs]


async def waiting(store: Store, webhook: WebhookId) -> int:
    return (await store.read(lambda transaction: transaction.hooks.backlog(webhook))).waiting


async def due(store: Store, now: Instant = NOW) -> tuple[WebhookId, ...]:
    return await store.read(lambda transaction: transaction.hooks.due(now))


async def test_only_what_somebody_is_told_of_is_stored(any_store: Store) -> None:
    await tell(any_store, 1)
    assert await any_store.read(lambda transaction: transaction.hooks.newest()) == 0
    some, every = await add(any_store, "user.deleted,post.created"), await add(any_store)
    await tell(any_store, 1)
    await tell(any_store, 1, "user.deleted")
    assert (await waiting(any_store, some), await waiting(any_store, every)) == (1, 2)
    ((first,),) = await lease(any_store, some)
    assert (first.kind, first.account, first.data) == ("user.deleted", 1, '{"door":"rooms"}')
    assert await any_store.read(lambda transaction: transaction.hooks.wanted(["room.left"]))
    assert await any_store.write(lambda transaction: transaction.hooks.remove(every))
    assert not await any_store.write(lambda transaction: transaction.hooks.remove(every))
    assert not await any_store.read(lambda transaction: transaction.hooks.wanted(["room.left"]))
    assert await waiting(any_store, every) == 0
    assert [each.id for each in await any_store.read(lambda transaction: transaction.hooks.list())] == [some]


async def test_the_name_of_an_account_is_told(any_store: Store) -> None:
    webhook = await add(any_store)
    new = NewAccount(username="ann", origin="rooms", created_at=EPOCH)
    account = await any_store.write(lambda transaction: transaction.accounts.add(new))
    await tell(any_store, account)
    ((told,),) = await lease(any_store, webhook)
    assert told.username == "ann"


async def test_one_subject_is_leased_once_and_in_its_order(any_store: Store) -> None:
    webhook = await add(any_store)
    for account in (1, 2, 1, 1, 2):
        await tell(any_store, account)
    assert await due(any_store) == (webhook,)
    assert positions(await lease(any_store, webhook)) == [[1, 3, 4], [2, 5]]
    await tell(any_store, 1)
    assert await due(any_store) == (webhook,)
    assert await lease(any_store, webhook, "there") == ()
    hooks = any_store.write
    await hooks(lambda transaction: transaction.hooks.delivered(webhook, HookPosition(1), NOW))
    await hooks(
        lambda transaction: transaction.hooks.postpone(webhook, HookPosition(3), UNTIL, "answered 500")
    )
    await hooks(lambda transaction: transaction.hooks.give_back(webhook, "account:1", "here", NOW))
    assert await lease(any_store, webhook, "there") == ()  # 3 waits, and 4 and 6 behind it
    later = after(UNTIL, Life(HOUR))
    runs = await lease(any_store, webhook, "there", later)
    assert positions(runs) == [[2, 5], [3, 4, 6]]
    assert [each.attempts for each in runs[1]] == [1, 0, 0]


async def test_two_nodes_never_get_one_subject(any_store: Store) -> None:
    webhook = await add(any_store)
    for number in range(60):
        await tell(any_store, number % 6)
    taken: list[HookDelivery] = []

    async def take(node: str) -> None:
        for run in await lease(any_store, webhook, node):
            taken.extend(run)

    async with trio.open_nursery() as nursery:
        for node in ("a", "b", "c"):
            nursery.start_soon(take, node)
    assert sorted(each.position for each in taken) == list(range(1, 61))
    assert await any_store.write(lambda transaction: transaction.hooks.release("a", NOW)) in (
        0,
        10,
        20,
        30,
        40,
        50,
        60,
    )


async def test_a_lease_is_bounded(any_store: Store) -> None:
    webhook = await add(any_store)
    for account in range(SUBJECTS + 1):
        for _ in range(RUN + 1 if not account else 1):
            await tell(any_store, account)
    runs = await lease(any_store, webhook)
    assert (len(runs), len(runs[0])) == (SUBJECTS, RUN)


async def test_pausing_disabling_giving_up_and_replay(any_store: Store) -> None:
    webhook = await add(any_store, "user.created")
    await add(any_store, "user.deleted")
    for account in (1, 1, 2):
        await tell(any_store, account)
    await tell(any_store, 3, "user.deleted")
    write = any_store.write
    await write(lambda transaction: transaction.hooks.pause(webhook, UNTIL, "no answer"))
    assert await due(any_store) == (2,)
    assert webhook in await due(any_store, UNTIL)
    await write(lambda transaction: transaction.hooks.give_up(webhook, HookPosition(1), "no answer"))
    found = await any_store.read(lambda transaction: transaction.hooks.find(webhook))
    assert found is not None
    assert (found.failures, found.given_up, found.fault) == (1, 1, "no answer")
    await write(lambda transaction: transaction.hooks.disable(webhook, NOW, "answered 410"))
    assert await waiting(any_store, webhook) == 0
    await tell(any_store, 4)
    assert await waiting(any_store, webhook) == 0
    # What is replayed is of its kinds, is told in order, and what is outstanding is not told twice.
    assert await write(lambda transaction: transaction.hooks.replay(webhook, HookPosition(2), NOW)) == 2
    assert await write(lambda transaction: transaction.hooks.replay(webhook, HookPosition(1), NOW)) == 1
    assert positions(await lease(any_store, webhook)) == [[1, 2], [3]]
    found = await any_store.read(lambda transaction: transaction.hooks.find(webhook))
    assert found is not None
    assert (found.disabled_at, found.paused_until, found.failures) == (None, 0, 0)
    for at, position in ((EPOCH, 1), (NOW, 5)):
        assert await any_store.read(partial(position_since, at)) == position


async def position_since(at: Instant, transaction: Transaction) -> HookPosition:
    return await transaction.hooks.position_since(at)


@pytest.mark.parametrize(
    ("before", "most", "left"), [(EPOCH, 10, 5), (EPOCH, 2, 2), (Instant(EPOCH + 1), 10, 0)]
)
async def test_old_events_are_removed_with_their_deliveries(
    any_store: Store, before: Instant, most: int, left: int
) -> None:
    webhook = await add(any_store)
    for account in range(5):
        await tell(any_store, account)
    assert await any_store.write(lambda transaction: transaction.hooks.purge(before, most)) == 5 - left
    assert await waiting(any_store, webhook) == left


# --- the rooms
async def room(store: Store, posts: int) -> AccountId:
    """A room that is made, gets posts, and is left."""

    async def fill(transaction: Transaction) -> AccountId:
        count = len(await transaction.rooms.of_account(AccountId(1)))
        new = NewAccount(username=f"ann{count}", origin="rooms", created_at=EPOCH)
        account = await transaction.accounts.add(new)
        number = await transaction.rooms.add("Raum", EPOCH)
        event = await transaction.events.append(number, account, Created(()), EPOCH)
        await transaction.rooms.join(event, (account,))
        for _ in range(posts):
            post = await transaction.posts.add(number, account, "what was written", EPOCH)
            await transaction.events.append(number, account, Posted(post, "what was written"), EPOCH)
        await transaction.events.append(number, account, Left(deleted=False), EPOCH)
        return account

    return await store.write(fill)


async def test_what_the_rooms_log_says_is_told_once_from_the_first_webhook_on(any_store: Store) -> None:
    relay = WebhookRelay(any_store)
    await add(any_store, "user.created")
    await room(any_store, 3)
    assert await relay.catch_up() == 0
    webhook = await add(any_store, "post.created,room.left")
    assert await relay.catch_up() == 0
    await room(any_store, PAGE + 10)
    async with trio.open_nursery() as nursery:  # two nodes at once
        nursery.start_soon(WebhookRelay(any_store).catch_up)
        nursery.start_soon(WebhookRelay(any_store).catch_up)
    await relay.catch_up()
    assert await waiting(any_store, webhook) == PAGE + 11
    ((first, *_), *others) = await lease(any_store, webhook)
    assert others == []
    assert (first.kind, first.subject) == ("post.created", "room:2")
    assert "written" not in first.data
    assert (
        await any_store.read(
            lambda transaction: transaction.hooks.position_since(Instant(EPOCH - SECOND * 5))
        )
        == 1
    )
