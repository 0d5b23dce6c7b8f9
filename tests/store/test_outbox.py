"""The contract of back ends for the outbox: each message goes to one sender, and none is lost."""

from functools import partial

import trio

from regserver.domain.instant import MINUTE, SECOND, Instant, after
from regserver.ports.outbox_table import Backlog, OutboxId, OutboxMessage
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

NOW = Instant(1_600_000_000_000)
LATER = after(NOW, MINUTE)


async def fill(store: Store, *sealed: bytes) -> None:
    async def work(transaction: Transaction) -> None:
        for number, message in enumerate(sealed):
            await transaction.outbox.add(message, after(NOW, number))

    await store.write(work)


async def lease(store: Store, node: str, now: Instant, limit: int = 100) -> tuple[OutboxMessage, ...]:
    return await store.write(
        lambda transaction: transaction.outbox.lease(node, now, after(now, MINUTE), limit)
    )


async def rows(store: Store) -> tuple[OutboxMessage, ...]:
    return await store.read(lambda transaction: transaction.outbox.list(100))


async def test_a_message_comes_back_as_it_went_in(any_store: Store) -> None:
    await fill(any_store, b"\x00\xff sealed")
    (row,) = await rows(any_store)
    assert row == OutboxMessage(
        id=row.id,
        sealed=b"\x00\xff sealed",
        created_at=NOW,
        due_at=NOW,
        attempts=0,
        parked_at=None,
        fault=None,
    )


async def test_a_lease_takes_the_oldest_that_are_due_and_counts(any_store: Store) -> None:
    await fill(any_store, b"a", b"b", b"c")
    assert await lease(any_store, "one", Instant(NOW - 1)) == ()
    first = await lease(any_store, "one", LATER, 2)
    assert [(row.sealed, row.attempts, row.due_at) for row in first] == [
        (b"a", 1, after(LATER, MINUTE)),
        (b"b", 1, after(LATER, MINUTE)),
    ]
    assert [row.sealed for row in await lease(any_store, "two", LATER)] == [b"c"]
    assert await lease(any_store, "one", LATER) == ()
    again = await lease(any_store, "two", after(LATER, MINUTE))
    assert [row.attempts for row in again] == [2, 2, 2]


async def test_senders_that_race_share_no_message(any_store: Store) -> None:
    await fill(any_store, *(bytes([number]) for number in range(60)))
    taken: list[OutboxId] = []

    async def take(node: str) -> None:
        while batch := await lease(any_store, node, LATER, 7):
            taken.extend(row.id for row in batch)

    async with trio.open_nursery() as nursery:
        for node in ("one", "two", "three"):
            nursery.start_soon(take, node)
    assert len(taken) == len(set(taken)) == 60


async def test_a_node_releases_its_own_leases_alone(any_store: Store) -> None:
    await fill(any_store, b"a", b"b")
    await lease(any_store, "one", LATER, 1)
    await lease(any_store, "two", LATER, 1)
    assert await any_store.write(lambda transaction: transaction.outbox.release("one", LATER)) == 1
    assert [row.sealed for row in await lease(any_store, "one", LATER)] == [b"a"]


async def test_what_becomes_of_a_message(any_store: Store) -> None:
    await fill(any_store, b"a", b"b", b"c")
    sent, deferred, refused = [row.id for row in await lease(any_store, "one", LATER)]

    async def settle(transaction: Transaction) -> None:
        await transaction.outbox.remove(sent)
        await transaction.outbox.postpone(deferred, after(LATER, SECOND), 1, "greylisted")
        await transaction.outbox.park(refused, LATER, "refused")

    await any_store.write(settle)
    found = await rows(any_store)
    assert [(row.sealed, row.fault, row.parked_at) for row in found] == [
        (b"c", "refused", LATER),  # what the operator must look at comes first
        (b"b", "greylisted", None),
    ]
    backlog = await any_store.read(lambda transaction: transaction.outbox.backlog())
    assert backlog == Backlog(1, after(NOW, 1), after(LATER, SECOND), 1)
    assert await lease(any_store, "one", LATER) == ()
    assert [row.sealed for row in await lease(any_store, "one", after(LATER, SECOND))] == [b"b"]


async def test_a_retry_makes_messages_due_but_for_leased_ones(any_store: Store) -> None:
    await fill(any_store, b"a", b"b", b"c")
    a, b, c = [row.id for row in await lease(any_store, "one", LATER)]
    await any_store.write(partial(park, messages=(a, b)))
    assert await any_store.write(lambda transaction: transaction.outbox.requeue([a, c], LATER)) == 1
    assert [(row.sealed, row.attempts) for row in await lease(any_store, "two", LATER)] == [(b"a", 1)]
    assert await any_store.write(lambda transaction: transaction.outbox.requeue(None, LATER)) == 1


async def park(transaction: Transaction, messages: tuple[OutboxId, ...]) -> None:
    for message in messages:
        await transaction.outbox.park(message, LATER, "refused")


async def test_a_purge_takes_only_what_was_parked_before(any_store: Store) -> None:
    await fill(any_store, b"a", b"b")
    a, _ = [row.id for row in await lease(any_store, "one", LATER)]
    await any_store.write(partial(park, messages=(a,)))
    assert await any_store.write(lambda transaction: transaction.outbox.purge(LATER)) == 0
    assert await any_store.write(lambda transaction: transaction.outbox.purge(after(LATER, 1))) == 1
    assert [row.sealed for row in await rows(any_store)] == [b"b"]


async def test_an_empty_outbox(any_store: Store) -> None:
    assert await any_store.read(lambda transaction: transaction.outbox.backlog()) == Backlog(0, None, None, 0)
    assert await lease(any_store, "one", LATER) == ()
