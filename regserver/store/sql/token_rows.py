"""Tokens and tickets."""

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.store.sql.account_rows import ACCOUNT_COLUMNS, read_account
from regserver.store.sql.statement import Rows

ACCOUNT_OF_TOKEN = (
    f"SELECT {ACCOUNT_COLUMNS} FROM token JOIN account ON account.id = token.account_id"
    " WHERE token.hash = ? AND token.expires_at > ?"
)


class TokenRows(Rows):
    """The tables token and ticket. Deleting a token deletes its tickets."""

    async def add(self, token: SecretHash, account: AccountId, now: Instant, expires_at: Instant) -> None:
        """The hash is the primary key."""
        statement = "INSERT INTO token (hash, account_id, created_at, expires_at) VALUES (?, ?, ?, ?)"
        await self._sql.run(statement, token, account, now, expires_at)

    async def account(self, token: SecretHash, now: Instant) -> Account | None:
        """One statement for token and account, since every request with a token begins with it."""
        return read_account(await self._sql.row(ACCOUNT_OF_TOKEN, token, now))

    async def expiry(self, token: SecretHash) -> Instant | None:
        """Uses the primary key."""
        row = await self._sql.row("SELECT expires_at FROM token WHERE hash = ?", token)
        return None if row is None else Instant(row[0])

    async def remove(self, token: SecretHash) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM token WHERE hash = ?", token)

    async def remove_all(self, account: AccountId) -> None:
        """Uses the index of an account's tokens."""
        await self._sql.run("DELETE FROM token WHERE account_id = ?", account)

    async def add_ticket(self, ticket: SecretHash, token: SecretHash, expires_at: Instant) -> None:
        """The foreign key raises Conflict when the token is gone."""
        statement = "INSERT INTO ticket (hash, token_hash, expires_at) VALUES (?, ?, ?)"
        await self._sql.run(statement, ticket, token, expires_at)

    async def take_ticket(self, ticket: SecretHash, now: Instant) -> SecretHash | None:
        """DELETE … RETURNING: of two simultaneous calls, one gets the row."""
        statement = "DELETE FROM ticket WHERE hash = ? RETURNING token_hash, expires_at"
        row = await self._sql.row(statement, ticket)
        return None if row is None or row[1] <= now else SecretHash(row[0])

    async def purge(self, now: Instant) -> int:
        """Uses the indexes of expiry times. Tickets first, since they refer to tokens."""
        tickets = await self._sql.run("DELETE FROM ticket WHERE expires_at <= ?", now)
        return tickets + await self._sql.run("DELETE FROM token WHERE expires_at <= ?", now)
