"""Accounts of all doors."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import Account, AccountId, EmailKey, NameKey, NewAccount, Profile
from regserver.domain.instant import Instant
from regserver.ports.source import Subject


class SourceLink(msgspec.Struct, frozen=True):
    """An account's person at a source. source: its kind; "" where it was not noted. name: what the source calls them.
    confirmed_at: when it last said yes.
    """

    source: str
    name: str
    confirmed_at: Instant


class AccountTable(Protocol):
    """Deleted accounts stay in the table, so that their names stay taken."""

    async def add(self, account: NewAccount) -> AccountId:
        """Writes the account.

        Name and contact are claimed separately, in NameTable and ContactTable. Conflict when another account has the name.
        """

    async def by_id(self, account: AccountId) -> Account | None:
        """The account, deleted or not, as with the other look-ups."""

    async def by_name(self, key: NameKey) -> Account | None:
        """The account of a user name."""

    async def by_email(self, key: EmailKey) -> Account | None:
        """An account with this e-mail address: of several, whose who has verified it, then the oldest."""

    async def verify_email(self, account: AccountId, now: Instant | None) -> None:
        """Notes when the account's address was verified; None makes it a wish."""

    async def change_email(self, account: AccountId, email: str, now: Instant) -> None:
        """Gives the account an address that it has verified, in place of the one that it had."""

    async def drop_wishes(self, key: EmailKey, keeper: AccountId) -> None:
        """Takes the address from all other accounts, none of which has verified it."""

    async def by_ledger_name(self, ledger_name: str) -> Account | None:
        """The account of a userId of the steps door."""

    async def by_subject(self, source: str, subject: Subject) -> Account | None:
        """The account of a source's person; one whose source was not noted is of whichever source asks."""

    async def source_link(self, account: AccountId | None) -> SourceLink | None:
        """The account's person at a source; None for accounts that have none, and for no account."""

    async def confirm_source(self, account: AccountId, link: SourceLink) -> None:
        """Notes the source's yes. Conflict when the person has another account."""

    async def living(self, accounts: Sequence[AccountId]) -> set[AccountId]:
        """The existing accounts among these that are neither deleted nor wait."""

    async def renew_password_hash(
        self, account: AccountId, known: str, renewed: str | None, now: Instant
    ) -> bool:
        """Replaces the password hash if it is still `known`; returns whether it was (atomic).

        known: "" where the account has none. renewed: None leaves it with none.
        """

    async def suspend(self, account: AccountId, now: Instant) -> bool:
        """Marks the account as suspended; False when it was, or is erased (atomic)."""

    async def resume(self, account: AccountId, now: Instant) -> bool:
        """Takes the mark away; False when there was none (atomic)."""

    async def rename(self, account: AccountId, username: str, now: Instant) -> None:
        """Writes another name, which the caller has claimed. Conflict when another account has it."""

    async def search(self, text: str, after: AccountId, limit: int) -> tuple[Account, ...]:
        """Accounts behind a number whose name or address has the text in it, by number; "" for all. Erased ones are left out."""

    async def mark_deleted(self, account: AccountId, now: Instant) -> bool:
        """Marks the account as deleted; False when it was deleted before (atomic)."""

    async def restore(self, account: AccountId, now: Instant) -> bool:
        """Takes the mark away; False when the account is not deleted, or erased (atomic)."""

    async def add_profile(self, account: AccountId, profile: Profile) -> None:
        """Writes the person's names from a live registration."""

    async def profile(self, account: AccountId) -> Profile | None:
        """The person's names from a live registration; None when there are none."""
