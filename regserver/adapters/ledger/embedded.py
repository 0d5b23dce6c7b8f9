"""The embedded ledger: accounts are in the store, their keys in its hash-chained journal."""

from regserver.domain.instant import Instant
from regserver.domain.journal import LedgerAccount, following
from regserver.ports.ledger import Ledger, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.transaction import Lock, Transaction


class EmbeddedLedger(Ledger):
    """The store alone: one transaction writes everything."""

    outer = False

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        """Does nothing: there is no outer ledger."""
        return Settled("")

    async def record(
        self, transaction: Transaction, account: LedgerAccount, reference: str, now: Instant
    ) -> None:
        """Appends the account's entry to the journal."""
        await transaction.lock(Lock.JOURNAL)
        await transaction.journal.append(following(await transaction.journal.last(), now, account, reference))

    async def check(self) -> str | None:
        """None: the store has a check of its own."""
        return None
