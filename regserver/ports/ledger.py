"""Where a registered account's keys are written."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.journal import LedgerAccount
from regserver.ports.transaction import Transaction


class LedgerFault(Exception):
    """The ledger cannot take the account now. The message is for the operator."""


class Settled(msgspec.Struct, frozen=True):
    """The account exists on the outer ledger with its keys. reference: the transaction that made it, "" if not known."""

    reference: str


class NameOccupied(msgspec.Struct, frozen=True):
    """Somebody else has this name out there; another must be tried."""


class OtherKeysWritten(msgspec.Struct, frozen=True):
    """This person's account exists out there, with keys of an earlier attempt; only those will do."""


class Ledger(Protocol):
    """Where a registered account's keys are written."""

    @property
    def outer(self) -> bool:
        """Whether `settle` has something to do; if not, one transaction does everything."""

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        """Sees to it that the account exists on the outer ledger.

        May be called again at any time, by several at once and after a crash, and makes one account. Raises LedgerFault.
        """

    async def record(
        self, transaction: Transaction, account: LedgerAccount, reference: str, now: Instant
    ) -> None:
        """Writes the journal in the transaction that makes the account."""

    async def check(self) -> str | None:
        """What is wrong with it now, for the operator; None when nothing is. Soon answered."""
