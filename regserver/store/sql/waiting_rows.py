"""Accounts that wait."""

from collections.abc import Sequence

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.sign_up_policy import WaitReason
from regserver.store.sql.account_rows import ACCOUNT_COLUMNS, read_account
from regserver.store.sql.statement import Rows, placeholders

WAITING = "waits_for IS NOT NULL AND deleted_at IS NULL"


class WaitingRows(Rows):
    """The column waits_for of account, and the table waiting_mail."""

    async def end(self, account: AccountId, reasons: Sequence[WaitReason], now: Instant) -> bool:
        """One UPDATE that compares and writes, so that of an approval and a refusal one succeeds."""
        statement = (
            "UPDATE account SET waits_for = NULL, updated_at = ?"
            f" WHERE id = ? AND deleted_at IS NULL AND waits_for IN ({placeholders(reasons)})"
        )
        return await self._sql.run(statement, now, account, *reasons) > 0

    async def list(self, limit: int) -> tuple[Account, ...]:
        """Uses the index of accounts that wait."""
        statement = f"SELECT {ACCOUNT_COLUMNS} FROM account WHERE {WAITING} ORDER BY created_at, id LIMIT ?"
        rows = await self._sql.rows(statement, limit)
        return tuple(account for account in map(read_account, rows) if account is not None)

    async def count(self) -> int:
        """Uses the same index."""
        statement = f"SELECT count(*) FROM account WHERE {WAITING} AND waits_for = 'approval'"
        return int(await self._sql.value(statement))

    async def since_before(self, before: Instant, limit: int) -> tuple[AccountId, ...]:
        """Uses the same index."""
        statement = (
            f"SELECT id FROM account WHERE {WAITING} AND created_at <= ? ORDER BY created_at, id LIMIT ?"
        )
        return tuple([AccountId(row[0]) for row in await self._sql.rows(statement, before, limit)])

    async def keep_mail(self, account: AccountId, sealed: bytes) -> None:
        """One for an account, by the primary key."""
        await self._sql.run("INSERT INTO waiting_mail (account_id, sealed) VALUES (?, ?)", account, sealed)

    async def take_mail(self, account: AccountId) -> bytes | None:
        """DELETE … RETURNING: of two simultaneous calls, one gets the row."""
        row = await self._sql.row("DELETE FROM waiting_mail WHERE account_id = ? RETURNING sealed", account)
        return None if row is None else bytes(row[0])
