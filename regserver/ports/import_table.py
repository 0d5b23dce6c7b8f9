"""Accounts that were brought along from other software."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.imported_person import ImportKey


class ImportTable(Protocol):
    """So that a file can be read twice, or go on after an interruption."""

    async def account(self, key: ImportKey) -> AccountId | None:
        """The account that was made of this person."""

    async def add(self, key: ImportKey, account: AccountId) -> None:
        """Notes it. Conflict when another run has noted this person meanwhile."""
