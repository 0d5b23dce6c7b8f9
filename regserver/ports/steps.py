"""What the registration by steps needs of the store and of the outside."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from regserver.domain.contact import BudgetKey, ContactKey, LookupKey
from regserver.domain.instant import Duration, Instant
from regserver.domain.journal import JournalEntry, LedgerAccount
from regserver.domain.steps_machine import Registration

if TYPE_CHECKING:  # ports.store names these tables
    from regserver.ports.store import Transaction

CaptchaType = Literal["web", "android", "ios"]


class Budget(msgspec.Struct, frozen=True):
    """So many in so long a time. The time starts with the first."""

    key: BudgetKey
    limit: int
    window: Duration


class Spent(msgspec.Struct, frozen=True):
    """A budget with nothing left until `until`."""

    until: Instant


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A signed transaction that makes an account on another ledger.

    signed: the very body that is pushed. expires_at: by the clock of that ledger.
    """

    user_id: str
    owner_key: str
    active_key: str
    transaction_id: str
    signed: bytes
    expires_at: Instant


class RegistrationTable(Protocol):
    async def by_contact(self, contact: ContactKey) -> Registration | None: ...

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        """Those of one identity at all providers; of other contacts there is one at most."""

    async def by_user_id(self, user_id: str) -> Registration | None: ...

    async def save(self, registration: Registration) -> None: ...

    async def remove(self, contact: ContactKey) -> None: ...

    async def purge(self, now: Instant) -> int:
        """Removes what has lapsed and budgets that are whole again; how many."""


class BudgetTable(Protocol):
    async def spend(self, budgets: Sequence[Budget], now: Instant) -> Spent | None:
        """Takes one from each, or from none of them when one has nothing left."""

    async def spent(self, key: BudgetKey, window: Duration, now: Instant) -> int: ...

    async def give_back(self, budgets: Sequence[Budget]) -> None:
        """Undoes one `spend`."""

    async def clear(self, key: BudgetKey) -> None: ...


class RewardTable(Protocol):
    async def grant(self, user_id: str, reason: str, community: str, now: Instant) -> bool:
        """False when it was granted before."""

    async def count(self, user_id: str) -> int: ...


class JournalTable(Protocol):
    async def last(self) -> JournalEntry | None: ...

    async def append(self, entry: JournalEntry) -> None: ...

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        """Entries with numbers greater than `after`, in order."""

    async def unjournalled(self) -> str | None:
        """The userId of an account of the steps door that no entry speaks of; None when there is none."""

    async def submission(self, user_id: str) -> Submission | None: ...

    async def save_submission(self, submission: Submission) -> None: ...


class Captcha(Protocol):
    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        """Whether a person answered. False too when it cannot be found out; bounded in time."""


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
        self, transaction: "Transaction", account: LedgerAccount, reference: str, now: Instant
    ) -> None:
        """Writes the journal in the transaction that makes the account."""

    async def check(self) -> str | None:
        """What is wrong with it now, for the operator; None when nothing is. Soon answered."""
