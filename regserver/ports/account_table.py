"""Accounts of all doors."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.account import Account, AccountId, EmailKey, NameKey, NewAccount, Profile
from regserver.domain.instant import Instant


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
