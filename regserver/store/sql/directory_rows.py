"""Pending creations of the directory, and the users of its servers."""

from collections.abc import Sequence

from regserver.domain.account import AccountId, EmailKey, email_key
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.ports.directory_table import PendingCreation
from regserver.ports.transaction import Lock
from regserver.store.sql.statement import Sql, chunks, placeholders


class DirectoryRows:
    """The tables pending_creation and directory_server."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add_pending(self, challenge: SecretHash, pending: PendingCreation) -> None:
        """Stores the key of the address beside the address."""
        await self._sql.run(
            "INSERT INTO pending_creation (challenge_hash, username, email, email_key, password_hash, language,"
            " created_at, expires_at, account_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            challenge,
            pending.username,
            pending.email,
            None if pending.email is None else email_key(pending.email),
            pending.password_hash,
            pending.language,
            pending.created_at,
            pending.expires_at,
            pending.account,
        )

    async def pending(self, challenge: SecretHash) -> PendingCreation | None:
        """Uses the primary key."""
        row = await self._sql.row(
            "SELECT username, email, password_hash, language, created_at, expires_at, account_id"
            " FROM pending_creation WHERE challenge_hash = ?",
            challenge,
        )
        if row is None:
            return None
        return PendingCreation(**dict(zip(PendingCreation.__struct_fields__, row, strict=True)))

    async def settle(self, challenge: SecretHash, account: AccountId) -> None:
        """Leaves the name and whom the challenge leads to; what is personal is emptied."""
        await self._sql.run(
            "UPDATE pending_creation SET account_id = ?, email = NULL, email_key = NULL, password_hash = NULL"
            " WHERE challenge_hash = ?",
            account,
            challenge,
        )

    async def count_pending(self, email: EmailKey, since: Instant) -> int:
        """Uses the index of those that wait."""
        row = await self._sql.row(
            "SELECT count(*) FROM pending_creation"
            " WHERE account_id IS NULL AND email_key = ? AND created_at >= ?",
            email,
            since,
        )
        return 0 if row is None else int(row[0])

    async def purge(self, now: Instant) -> int:
        """Uses the index of those that wait; settled rows stay for good."""
        return await self._sql.run(
            "DELETE FROM pending_creation WHERE account_id IS NULL AND expires_at <= ?", now
        )

    async def users(self, servers: Sequence[str]) -> dict[str, int]:
        """A statement for every MAX_LIST servers."""
        counted: dict[str, int] = {}
        for chunk in chunks(servers):
            rows = await self._sql.rows(
                f"SELECT server, users FROM directory_server WHERE server IN ({placeholders(chunk)})",
                *chunk,
            )
            counted.update((row[0], row[1]) for row in rows)
        return counted

    async def add_user(self, server: str) -> None:
        """An upsert, since a server has no row before its first user."""
        await self._sql.run(
            "INSERT INTO directory_server (server, users) VALUES (?, 1)"
            " ON CONFLICT (server) DO UPDATE SET users = directory_server.users + 1",
            server,
        )

    async def recount(self) -> None:
        """Uses the index of servers and deletions alone."""
        await self._sql.lock(Lock.SERVERS)
        await self._sql.run("DELETE FROM directory_server")
        await self._sql.run(
            "INSERT INTO directory_server (server, users) SELECT server, count(*) FROM account"
            " WHERE server IS NOT NULL AND deleted_at IS NULL GROUP BY server"
        )
