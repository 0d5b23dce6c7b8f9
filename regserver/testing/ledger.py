"""The ledger of a test server: the configured one, with a faulty outer ledger before it while "ledger" is to fail."""

from regserver.domain.instant import Instant
from regserver.domain.journal import JournalHead, LedgerAccount
from regserver.ports.ledger import Ledger, LedgerFault, NameOccupied, OtherKeysWritten, Settled
from regserver.ports.transaction import Transaction
from regserver.testing.fault import Faults


class FaultyLedger(Ledger):
    """inner: the configured ledger."""

    def __init__(self, inner: Ledger, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    @property
    def outer(self) -> bool:  # type: ignore[override]
        """The embedded ledger cannot fail alone: it is one with the store. So a fault is that of an outer one."""
        return self._inner.outer or self._faults.is_planned("ledger")

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        """As the ledger, unless it is to fail."""
        fault = await self._faults.meet("ledger")
        if fault == "refuse":
            raise LedgerFault("refused, as the test wants")
        settled = await self._inner.settle(account)
        if fault == "drop":
            raise LedgerFault("the connection was lost, as the test wants")
        return settled

    async def record(
        self, transaction: Transaction, account: LedgerAccount, reference: str, now: Instant
    ) -> JournalHead:
        """As the ledger."""
        return await self._inner.record(transaction, account, reference, now)

    async def seal(self, transaction: Transaction) -> JournalHead:
        """As the ledger."""
        return await self._inner.seal(transaction)

    async def check(self) -> str | None:
        """As the ledger."""
        return await self._inner.check()
