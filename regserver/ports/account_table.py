"""Accounts of all doors."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.account import Account, AccountId, EmailKey, NameKey, NewAccount, Profile
from regserver.domain.instant import Instant


class AccountTable(Protocol):
    """Deleted accounts stay in the table, so that their names and addresses stay taken."""

    async def add(self, account: NewAccount) -> AccountId | None:
        """Writes the account; None when another has the e-mail address (atomic).

        The name is claimed separately, in NameTable. Conflict when another account has it.
        """

    async def by_id(self, account: AccountId) -> Account | None:
        """The account, deleted or not, as with the other look-ups."""

    async def by_name(self, key: NameKey) -> Account | None:
        """The account of a user name."""

    async def by_email(self, key: EmailKey) -> Account | None:
        """The account of an e-mail address."""

    async def by_ledger_name(self, ledger_name: str) -> Account | None:
        """The account of a userId of the steps door."""

    async def living(self, accounts: Sequence[AccountId]) -> set[AccountId]:
        """The existing accounts among these that are not deleted."""

    async def renew_password_hash(self, account: AccountId, known: str, renewed: str, now: Instant) -> None:
        """Replaces the password hash if it is still `known` (atomic)."""

    async def mark_deleted(self, account: AccountId, now: Instant) -> bool:
        """Marks the account as deleted; False when it was deleted before (atomic)."""

    async def add_profile(self, account: AccountId, profile: Profile) -> None:
        """Writes the person's names from a live registration."""

    async def profile(self, account: AccountId) -> Profile | None:
        """The person's names from a live registration; None when there are none."""
