"""The embedded ledger: accounts are in the store, their keys in its hash-chained journal."""

from regserver.domain.instant import Instant
from regserver.domain.journal import JournalHead, JournalSeal, LedgerAccount
from regserver.ports.ledger import Ledger, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.transaction import Lock, Transaction


class EmbeddedLedger(Ledger):
    """The store alone: one transaction writes everything. seal: of the journal."""

    outer = False

    def __init__(self, seal: JournalSeal) -> None:
        self._seal = seal

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        """Does nothing: there is no outer ledger."""
        return Settled("")

    async def record(
        self, transaction: Transaction, account: LedgerAccount, reference: str, now: Instant
    ) -> JournalHead:
        """Appends the account's entry to the journal."""
        await transaction.lock(Lock.JOURNAL)
        entry, head = self._seal.following(await self._head(transaction), now, account, reference)
        await transaction.journal.append(entry)
        await transaction.journal.set_head(head)
        return head

    async def seal(self, transaction: Transaction) -> JournalHead:
        """Writes the head unless there is one."""
        await transaction.lock(Lock.JOURNAL)
        head = await self._head(transaction)
        await transaction.journal.set_head(head)
        return head

    async def _head(self, transaction: Transaction) -> JournalHead:
        head = await transaction.journal.head()
        return self._seal.begin(await transaction.journal.last()) if head is None else head

    async def check(self) -> str | None:
        """None: the store has a check of its own."""
        return None
