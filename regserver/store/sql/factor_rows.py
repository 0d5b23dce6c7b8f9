"""Authenticator apps, recovery codes, and tickets that ask for a code."""

from collections.abc import Sequence

from regserver.domain.account import AccountId
from regserver.domain.factor import FactorTicket, RecoveryHash, Totp
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.store.sql.statement import Rows, columns

FARTHEST_STEPS = 2
"""How far two codes that are good at the same time can be from each other: a step before the present one, and one after."""

BEGIN = (
    "INSERT INTO totp (account_id, sealed, last_step) VALUES (?, ?, 0)"
    " ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, last_step = 0 WHERE totp.enabled_at IS NULL"
)
ENABLE = (
    "UPDATE totp SET enabled_at = ?, last_step = ? WHERE account_id = ? AND sealed = ? AND enabled_at IS NULL"
)
# A step so far ahead was written by a clock that has been set back since; it must not keep the owner out.
USE_STEP = (
    "UPDATE totp SET last_step = ? WHERE account_id = ? AND (last_step < ? OR last_step > ?)"
    " AND enabled_at IS NOT NULL"
)
OLDER_TICKETS = (
    "DELETE FROM factor_ticket WHERE hash IN (SELECT hash FROM factor_ticket WHERE account_id = ?"
    " ORDER BY expires_at DESC, hash LIMIT 1000000 OFFSET ?)"
)


class FactorRows(Rows):
    """The tables totp, recovery_code and factor_ticket."""

    async def totp(self, account: AccountId) -> Totp | None:
        """Uses the primary key."""
        return await self._one(Totp, f"SELECT {columns(Totp)} FROM totp WHERE account_id = ?", account)

    async def begin_totp(self, account: AccountId, sealed: bytes) -> bool:
        """One INSERT that replaces what is not on."""
        return await self._sql.run(BEGIN, account, sealed) == 1

    async def enable_totp(self, account: AccountId, sealed: bytes, step: int, now: Instant) -> bool:
        """One UPDATE that compares and writes."""
        return await self._sql.run(ENABLE, now, step, account, sealed) == 1

    async def use_step(self, account: AccountId, step: int) -> bool:
        """One UPDATE that compares and writes: of two simultaneous calls, one changes the row."""
        return await self._sql.run(USE_STEP, step, account, step, step + FARTHEST_STEPS) == 1

    async def remove_totp(self, account: AccountId) -> bool:
        """A DELETE for each table."""
        removed = await self._sql.run("DELETE FROM totp WHERE account_id = ?", account)
        await self._sql.run("DELETE FROM recovery_code WHERE account_id = ?", account)
        await self.end_tickets(account)
        return removed == 1

    async def replace_codes(self, account: AccountId, codes: Sequence[RecoveryHash]) -> None:
        """The former ones go."""
        await self._sql.run("DELETE FROM recovery_code WHERE account_id = ?", account)
        statement = "INSERT INTO recovery_code (account_id, hash) VALUES (?, ?)"
        await self._sql.run_many(statement, [(account, code) for code in codes])

    async def use_code(self, account: AccountId, code: RecoveryHash) -> bool:
        """A DELETE: of two simultaneous calls, one removes the row."""
        statement = "DELETE FROM recovery_code WHERE account_id = ? AND hash = ?"
        return await self._sql.run(statement, account, code) == 1

    async def codes_left(self, account: AccountId) -> int:
        """Uses the primary key."""
        statement = "SELECT count(*) FROM recovery_code WHERE account_id = ?"
        return int(await self._sql.value(statement, account))

    async def add_ticket(self, secret: SecretHash, ticket: FactorTicket, most: int) -> None:
        """The hash is the primary key."""
        statement = "INSERT INTO factor_ticket (hash, account_id, purpose, expires_at) VALUES (?, ?, ?, ?)"
        await self._sql.run(statement, secret, ticket.account, ticket.purpose, ticket.expires_at)
        await self._sql.run(OLDER_TICKETS, ticket.account, most)

    async def ticket(self, secret: SecretHash, now: Instant) -> FactorTicket | None:
        """Uses the primary key."""
        statement = (
            "SELECT account_id, purpose, expires_at FROM factor_ticket WHERE hash = ? AND expires_at > ?"
        )
        return await self._one(FactorTicket, statement, secret, now)

    async def take_ticket(self, secret: SecretHash) -> bool:
        """A DELETE: of two simultaneous calls, one removes the row."""
        return await self._sql.run("DELETE FROM factor_ticket WHERE hash = ?", secret) == 1

    async def end_tickets(self, account: AccountId) -> None:
        """Uses the index of accounts."""
        await self._sql.run("DELETE FROM factor_ticket WHERE account_id = ?", account)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM factor_ticket WHERE expires_at <= ?", now)
