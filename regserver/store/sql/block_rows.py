"""Blocks between accounts."""

from collections.abc import Sequence

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.ports.block_table import Block
from regserver.store.sql.statement import Rows


class BlockRows(Rows):
    """The table account_block."""

    async def add(self, account: AccountId, blocked: AccountId, now: Instant, most: int) -> bool:
        """One INSERT that counts first; the primary key settles a race for one row."""
        statement = (
            "INSERT INTO account_block (account_id, blocked_id, since) SELECT ?, ?, ?"
            " WHERE (SELECT count(*) FROM account_block WHERE account_id = ?) < ?"
            " ON CONFLICT (account_id, blocked_id) DO NOTHING"
        )
        if await self._sql.run(statement, account, blocked, now, account, most):
            return True
        known = "SELECT 1 FROM account_block WHERE account_id = ? AND blocked_id = ?"
        return await self._sql.row(known, account, blocked) is not None

    async def remove(self, account: AccountId, blocked: AccountId) -> None:
        """Uses the primary key."""
        await self._sql.run(
            "DELETE FROM account_block WHERE account_id = ? AND blocked_id = ?", account, blocked
        )

    async def of_account(self, account: AccountId) -> tuple[Block, ...]:
        """Uses the primary key, which begins with the account."""
        statement = (
            "SELECT blocked_id, username, since FROM account_block JOIN account ON account.id = blocked_id"
            " WHERE account_id = ? ORDER BY blocked_id"
        )
        return tuple([Block(*row) for row in await self._sql.rows(statement, account)])

    async def blockers(self, blocked: AccountId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts."""
        among = "SELECT account_id FROM account_block WHERE blocked_id = ? AND account_id"
        return {row[0] for row in await self._among(accounts, among, blocked)}

    async def remove_all(self, account: AccountId) -> None:
        """Uses the primary key and the index of those who are kept out."""
        await self._sql.run("DELETE FROM account_block WHERE account_id = ?", account)
        await self._sql.run("DELETE FROM account_block WHERE blocked_id = ?", account)
