"""The store: transactions as coroutines over a handful of repositories.

A unit of work is an async function of one argument, the transaction. It may await nothing but that transaction's own
methods: an embedded store runs it to its end in a database thread, a networked one on the event loop, and either may
run it again after a conflict. So it must not touch anything outside, and it returns what it found.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from regserver.domain.account import Account, AccountId, EmailKey, NameKey, NewAccount, Profile
from regserver.domain.estimate import Run
from regserver.domain.instant import Instant
from regserver.domain.room_event import RoomEvent
from regserver.domain.secret import SecretHash
from regserver.ports.directory import DirectoryTable
from regserver.ports.outbox import OutboxTable
from regserver.ports.room import EventTable, PostTable, RetryTable, RoomTable
from regserver.ports.steps import BudgetTable, JournalTable, RegistrationTable, RewardTable

T = TypeVar("T")


class StoreFault(Exception):
    """The store cannot do its work: disk full, file unreadable, server gone. The message is for the operator."""


class Holder(msgspec.Struct, frozen=True):
    """Who has a name: an account for good, or a reservation until `expires_at`."""

    key: str
    expires_at: Instant | None


def account_holder(account: AccountId) -> str:
    return f"account:{account}"


class AccountTable(Protocol):
    async def add(self, account: NewAccount) -> AccountId | None:
        """Writes the row; None when the e-mail address is another's. The name is claimed by itself, in NameTable."""

    async def by_id(self, account: AccountId) -> Account | None: ...

    async def by_name(self, key: NameKey) -> Account | None: ...

    async def by_email(self, key: EmailKey) -> Account | None: ...

    async def by_ledger_name(self, ledger_name: str) -> Account | None: ...

    async def living(self, accounts: Sequence[AccountId]) -> set[AccountId]:
        """Those of `accounts` that exist and are not deleted."""

    async def set_password_hash(self, account: AccountId, password_hash: str, now: Instant) -> None: ...

    async def mark_deleted(self, account: AccountId, now: Instant) -> None: ...

    async def add_profile(self, account: AccountId, profile: Profile) -> None: ...

    async def profile(self, account: AccountId) -> Profile | None: ...


class NameTable(Protocol):
    """One row per taken name of any door: the unique key that settles every race for one."""

    async def claim(self, key: NameKey, holder: str, expires_at: Instant | None, now: Instant) -> bool:
        """Takes the name if it is free, lapsed or the holder's already; `expires_at` None takes it for good."""

    async def holder(self, key: NameKey, now: Instant) -> Holder | None: ...

    async def release(self, key: NameKey, holder: str) -> None:
        """Frees the name if it is still this holder's."""

    async def purge(self, now: Instant) -> int:
        """Removes lapsed reservations; how many."""


class TokenTable(Protocol):
    async def add(self, token: SecretHash, account: AccountId, now: Instant, expires_at: Instant) -> None: ...

    async def account(self, token: SecretHash, now: Instant) -> Account | None:
        """The account of a token that has not expired, deleted accounts included."""

    async def expiry(self, token: SecretHash) -> Instant | None: ...

    async def remove(self, token: SecretHash) -> None: ...

    async def remove_all(self, account: AccountId) -> None: ...

    async def add_ticket(self, ticket: SecretHash, token: SecretHash, expires_at: Instant) -> None: ...

    async def take_ticket(self, ticket: SecretHash, now: Instant) -> SecretHash | None:
        """Uses the ticket up; the token it stands for, None when it is unknown, used or expired."""

    async def purge(self, now: Instant) -> int: ...


class RunTable(Protocol):
    """How long past live registrations took, by source."""

    async def add(self, source: str, run: Run, now: Instant, keep: int) -> None:
        """Remembers a run, and of this source's older ones no more than `keep` in all."""

    async def newest(self, source: str, count: int) -> tuple[Run, ...]:
        """The newest `count`, oldest first."""


class Transaction(Protocol):
    """One atomic unit of work on a consistent snapshot."""

    @property
    def accounts(self) -> AccountTable: ...
    @property
    def names(self) -> NameTable: ...
    @property
    def tokens(self) -> TokenTable: ...
    @property
    def rooms(self) -> RoomTable: ...
    @property
    def posts(self) -> PostTable: ...
    @property
    def events(self) -> EventTable: ...
    @property
    def retries(self) -> RetryTable: ...
    @property
    def outbox(self) -> OutboxTable: ...
    @property
    def directory(self) -> DirectoryTable: ...
    @property
    def registrations(self) -> RegistrationTable: ...
    @property
    def budgets(self) -> BudgetTable: ...
    @property
    def rewards(self) -> RewardTable: ...
    @property
    def journal(self) -> JournalTable: ...
    @property
    def runs(self) -> RunTable: ...


class Store(Protocol):
    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` on a snapshot; what it writes is refused. Raises StoreFault."""

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` and commits durably before returning; an exception of `work` rolls it back and comes out here.

        Once handed over it is not interrupted: a cancelled caller is held until the outcome is known, so that nobody
        is told "no" of what was written. Raises StoreFault.
        """

    async def check(self) -> None:
        """Touches the database; raises StoreFault when it does not answer."""


EventListener = Callable[[Sequence[RoomEvent]], None]
"""Called on the event loop's thread after each commit that appended events, in commit order; must not block or raise."""
