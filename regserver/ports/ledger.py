"""The ledger: the record of registered accounts and their keys."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.journal import JournalHead, LedgerAccount
from regserver.ports.transaction import Transaction


class LedgerFault(Exception):
    """The ledger did not accept the account. The message is for the operator."""


class Settled(msgspec.Struct, frozen=True):
    """The account exists on the outer ledger with its keys. reference: its transaction, "" if unknown."""

    reference: str


class NameOccupied(msgspec.Struct, frozen=True):
    """Another account on the outer ledger has this name; another name must be tried."""


class OtherKeysWritten(msgspec.Struct, frozen=True):
    """The account exists on the outer ledger with the keys of an earlier attempt; only those are accepted."""


class Ledger(Protocol):
    """The journal in the store, and possibly an outer ledger."""

    outer: bool
    """Whether there is an outer ledger; if not, `settle` does nothing and one transaction writes everything."""

    async def settle(self, account: LedgerAccount) -> Settled | NameOccupied | OtherKeysWritten:
        """Creates the account on the outer ledger unless it exists.

        Repeated and simultaneous calls, also after a crash, create one account. Raises LedgerFault.
        """

    async def record(
        self, transaction: Transaction, account: LedgerAccount, reference: str, now: Instant
    ) -> JournalHead:
        """Writes the journal entry in the transaction that creates the account; returns the new end. reference: of Settled."""

    async def seal(self, transaction: Transaction) -> JournalHead:
        """The sealed end of the journal, which is sealed now if it never was."""

    async def check(self) -> str | None:
        """The ledger's present fault, for the operator; None when there is none. Answers within seconds."""
