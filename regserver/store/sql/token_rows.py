"""Tokens and tickets."""

from collections.abc import Sequence
from typing import Any

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.domain.session import AccountSession, SessionId
from regserver.ports.token_table import NewSession, TokenState
from regserver.store.sql.account_rows import ACCOUNT_COLUMNS
from regserver.store.sql.statement import Kept, Rows


def _read_bearer(row: tuple[Any, ...]) -> tuple[Instant, Account]:
    return Instant(row[0]), Account(*row[1:])  # by position, for speed: every request with a token calls it


# With its end, so that the answer does not depend on the time.
ACCOUNT_OF_TOKEN = Kept(
    f"SELECT token.expires_at, {ACCOUNT_COLUMNS} FROM token JOIN account ON account.id = token.account_id"
    " WHERE token.hash = ?",
    frozenset({"token", "account"}),
    _read_bearer,
)

MANY = 1_000_000
"""More tokens than an account ever has."""
ADD = (
    "INSERT INTO token (hash, account_id, session_id, name, agent, network, created_at, last_used_at, expires_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class TokenRows(Rows):
    """The tables token and ticket. Deleting a token deletes its tickets."""

    async def add(self, session: NewSession) -> None:
        """The hash is the primary key; the unique index of an account's sessions raises Conflict."""
        it, now = session, session.created_at
        await self._sql.run(
            ADD, it.token, it.account, it.id, it.name, it.agent, it.network, now, now, it.expires_at
        )

    async def account(self, token: SecretHash, now: Instant) -> Account | None:
        """One statement for token and account, since every request with a token begins with it."""
        found = await self._sql.kept(ACCOUNT_OF_TOKEN, token)
        return None if found is None or found[0] <= now else found[1]

    async def expiry(self, token: SecretHash) -> Instant | None:
        """Uses the primary key."""
        row = await self._sql.row("SELECT expires_at FROM token WHERE hash = ?", token)
        return None if row is None else Instant(row[0])

    async def signed_in_at(self, token: SecretHash) -> Instant | None:
        """Uses the primary key."""
        row = await self._sql.row("SELECT created_at FROM token WHERE hash = ? AND name IS NULL", token)
        return None if row is None else Instant(row[0])

    async def states(self, tokens: Sequence[SecretHash], now: Instant) -> dict[SecretHash, TokenState]:
        """A statement for every MAX_LIST tokens, by the primary key."""
        statement = (
            "SELECT hash, deleted_at, suspended_at FROM token JOIN account ON account.id = token.account_id"
            " WHERE expires_at > ? AND hash"
        )
        rows = await self._among(tokens, statement, now)
        return {SecretHash(bytes(row[0])): TokenState(*row[1:]) for row in rows}

    async def of_account(
        self, account: AccountId, now: Instant, most: int, *, first: SecretHash | None = None
    ) -> dict[SecretHash, AccountSession]:
        """Uses the index of an account's sessions."""
        statement = (
            "SELECT hash, session_id, name, agent, network, created_at, last_used_at, expires_at FROM token"
            " WHERE account_id = ? AND expires_at > ?"
            " ORDER BY CASE WHEN hash = ? THEN 0 ELSE 1 END, last_used_at DESC, created_at DESC, hash LIMIT ?"
        )
        rows = await self._sql.rows(statement, account, now, first, most)
        return {SecretHash(bytes(row[0])): AccountSession(*row[1:]) for row in rows}

    async def by_session(self, account: AccountId, session: SessionId) -> SecretHash | None:
        """Uses the unique index of an account's sessions."""
        statement = "SELECT hash FROM token WHERE account_id = ? AND session_id = ?"
        row = await self._sql.row(statement, account, session)
        return None if row is None else SecretHash(bytes(row[0]))

    async def names(self, account: AccountId, now: Instant) -> dict[SecretHash, str]:
        """Uses the index of an account's sessions."""
        statement = (
            "SELECT hash, name FROM token WHERE account_id = ? AND name IS NOT NULL AND expires_at > ?"
        )
        rows = await self._sql.rows(statement, account, now)
        return {SecretHash(bytes(row[0])): row[1] for row in rows}

    async def note_uses(self, uses: Sequence[tuple[SecretHash, Instant]]) -> None:
        """One UPDATE for each, by the primary key, that compares and writes."""
        statement = "UPDATE token SET last_used_at = ? WHERE hash = ? AND last_used_at < ?"
        await self._sql.run_many(statement, [(at, token, at) for token, at in uses])

    async def trim(self, account: AccountId, most: int) -> None:
        """Uses the index of an account's sessions."""
        statement = (
            "DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE account_id = ? AND name IS NULL"
            " ORDER BY last_used_at DESC, created_at DESC LIMIT ? OFFSET ?)"
        )
        await self._sql.run(statement, account, MANY, most)

    async def remove(
        self, account: AccountId, token: SecretHash | None, *, own: bool, others: bool, named: bool
    ) -> tuple[SecretHash, ...]:
        """Uses the index of an account's sessions. DELETE … RETURNING: of two simultaneous calls, one gets a row."""
        statement = (
            "DELETE FROM token WHERE account_id = ?"
            " AND CASE WHEN hash = ? THEN ? WHEN name IS NULL THEN ? ELSE ? END = 1 RETURNING hash"
        )
        rows = await self._sql.rows(statement, account, token, int(own), int(others), int(named))
        return tuple([SecretHash(bytes(row[0])) for row in rows])

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
