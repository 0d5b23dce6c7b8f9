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
from regserver.domain.event import Change, Event, EventId
from regserver.domain.instant import Instant
from regserver.domain.room import Member, Post, PostId, Room, RoomId
from regserver.domain.secret import SecretHash
from regserver.ports.directory import DirectoryTable
from regserver.ports.outbox import OutboxTable
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


class RoomTable(Protocol):
    async def add(self, name: str | None, now: Instant) -> RoomId: ...

    async def by_id(self, room: RoomId) -> Room | None: ...

    async def touch(self, room: RoomId, now: Instant) -> None: ...

    async def remove(self, room: RoomId) -> None:
        """Removes the room with its posts and memberships; its events stay for those who missed them."""

    async def is_member(self, room: RoomId, account: AccountId) -> bool: ...

    async def members(self, room: RoomId) -> tuple[Member, ...]:
        """Those who are in now, in the order in which they joined."""

    async def count_members(self, room: RoomId) -> int: ...

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """The rooms the account is in now, in the order in which it joined them."""

    async def join(self, room: RoomId, accounts: Sequence[AccountId], event: EventId) -> None: ...

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None: ...

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> None:
        """Moves the mark forward, never back."""

    async def unread(self, room: RoomId, account: AccountId) -> int: ...


class PostTable(Protocol):
    async def add(self, room: RoomId, author: AccountId, content: str, now: Instant) -> PostId: ...

    async def by_id(self, post: PostId) -> Post | None: ...

    async def newest_ids(self, room: RoomId, limit: int) -> tuple[PostId, ...]:
        """The newest `limit` ids, oldest first."""

    async def page(self, room: RoomId, before: PostId | None, limit: int) -> tuple[Post, ...]:
        """The newest `limit` posts older than `before`, oldest first."""


class EventTable(Protocol):
    async def append(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> Event:
        """Writes the event; after the commit it goes to the store's listener, in order."""

    async def last_id(self) -> EventId:
        """The newest position of the log, 0 when it is empty."""


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


EventListener = Callable[[Sequence[Event]], None]
"""Called on the event loop's thread after each commit that appended events, in commit order; must not block or raise."""
