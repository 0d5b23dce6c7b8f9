"""Pulling in what lies further ahead than it can, on both back ends."""

from regserver.domain.account import name_key
from regserver.domain.instant import DAY, HOUR, MINUTE, Instant, after
from regserver.ports.future_table import Horizons
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from tests.fake import EPOCH

HORIZONS = Horizons(mail=HOUR, retry=DAY, registration=DAY, reservation=DAY, closure=HOUR)
AHEAD = Instant(EPOCH + 30 * DAY)


async def fill(transaction: Transaction, at: Instant) -> None:
    await transaction.outbox.add(b"sealed", at)
    await transaction.names.claim(name_key(f"name{at}"), "steps:x", after(at, DAY), at)
    await transaction.sms.close("UA", at, after(at, HOUR))


async def test_everything_that_waits_is_due_after_its_longest_delay(any_store: Store) -> None:
    for at in (EPOCH, AHEAD):
        await any_store.write(lambda transaction, at=at: fill(transaction, at))  # type: ignore[misc]
    assert await any_store.write(lambda transaction: transaction.futures.pull_in(EPOCH, HORIZONS)) == 3
    assert await any_store.write(lambda transaction: transaction.futures.pull_in(EPOCH, HORIZONS)) == 0
    later = after(EPOCH, HOUR)
    leased = await any_store.write(
        lambda transaction: transaction.outbox.lease("node", later, after(later, MINUTE), 10)
    )
    assert len(leased) == 2
    held = await any_store.read(
        lambda transaction: transaction.names.holder(name_key(f"name{AHEAD}"), after(EPOCH, DAY))
    )
    assert held is None


async def test_mail_that_is_set_aside_or_under_way_is_left_alone(any_store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        for _ in range(2):
            await transaction.outbox.add(b"sealed", EPOCH)
        parked, _ = await transaction.outbox.lease("node", EPOCH, AHEAD, 2)
        await transaction.outbox.park(parked.id, EPOCH, "no such mailbox")

    await any_store.write(work)
    assert await any_store.write(lambda transaction: transaction.futures.pull_in(EPOCH, HORIZONS)) == 0
