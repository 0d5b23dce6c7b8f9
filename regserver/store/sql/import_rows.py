"""Accounts that were brought along from other software."""

from regserver.domain.account import AccountId
from regserver.domain.imported_person import ImportKey
from regserver.ports.transaction import Conflict
from regserver.store.sql.statement import Rows


class ImportRows(Rows):
    """The table imported_account."""

    async def account(self, key: ImportKey) -> AccountId | None:
        """Uses the primary key."""
        found = await self._sql.value("SELECT account_id FROM imported_account WHERE key = ?", key)
        return None if found is None else AccountId(found)

    async def add(self, key: ImportKey, account: AccountId) -> None:
        """One INSERT, which gives way to a row that is there."""
        statement = "INSERT INTO imported_account (key, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
        if not await self._sql.run(statement, key, account):
            raise Conflict("a person was imported meanwhile")
