"""The embedded ledger: accounts live in the store, their keys in the hash-chained journal beside them."""

from regserver.domain.instant import Instant
from regserver.domain.journal import LedgerAccount, following
from regserver.ports.ledger import Ledger, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.transaction import Lock, Transaction


class EmbeddedLedger(Ledger):
    """Nothing lies outside, so one transaction does everything."""

    outer = False

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        return Settled("")

    async def record(
        self, transaction: Transaction, account: LedgerAccount, reference: str, now: Instant
    ) -> None:
        await transaction.lock(Lock.JOURNAL)
        await transaction.journal.append(following(await transaction.journal.last(), now, account, reference))

    async def check(self) -> str | None:
        return None  # the store has its own check
