"""Pending creations of the directory, and the users of its servers."""

from collections.abc import Sequence

import msgspec

from regserver.domain.account import AccountId, EmailKey, email_key
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.ports.directory_table import PendingCreation
from regserver.ports.transaction import Lock
from regserver.store.sql.statement import Rows, placeholders

COLUMNS = "username, email, password_hash, language, created_at, expires_at, account_id, network, invitation"
"""The fields of PendingCreation, in their order."""


class DirectoryRows(Rows):
    """The tables pending_creation and directory_server."""

    async def add_pending(self, challenge: SecretHash, pending: PendingCreation) -> None:
        """Stores the address and its key."""
        key = None if pending.email is None else email_key(pending.email)
        values = challenge, key, *msgspec.structs.astuple(pending)
        table = f"pending_creation (challenge_hash, email_key, {COLUMNS})"
        await self._sql.run(f"INSERT INTO {table} VALUES ({placeholders(values)})", *values)

    async def pending(self, challenge: SecretHash) -> PendingCreation | None:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM pending_creation WHERE challenge_hash = ?"
        return await self._one(PendingCreation, statement, challenge)

    async def settle(self, challenge: SecretHash, account: AccountId) -> None:
        """Keeps the name and the account; personal columns are emptied."""
        statement = (
            "UPDATE pending_creation SET account_id = ?, email = NULL, email_key = NULL, password_hash = NULL,"
            " network = '', invitation = NULL WHERE challenge_hash = ?"
        )
        await self._sql.run(statement, account, challenge)

    async def count_pending(self, email: EmailKey, since: Instant) -> int:
        """Uses the index of waiting creations."""
        waiting = "pending_creation WHERE account_id IS NULL AND email_key = ? AND created_at >= ?"
        return int(await self._sql.value(f"SELECT count(*) FROM {waiting}", email, since))

    async def purge(self, now: Instant) -> int:
        """Uses the index of waiting creations; settled rows stay for good."""
        statement = "DELETE FROM pending_creation WHERE account_id IS NULL AND expires_at <= ?"
        return await self._sql.run(statement, now)

    async def users(self, servers: Sequence[str]) -> dict[str, int]:
        """A statement for every MAX_LIST servers."""
        return dict(await self._among(servers, "SELECT server, users FROM directory_server WHERE server"))

    async def add_user(self, server: str) -> None:
        """An upsert, since a server has no row before its first user."""
        await self._sql.run(
            "INSERT INTO directory_server (server, users) VALUES (?, 1)"
            " ON CONFLICT (server) DO UPDATE SET users = directory_server.users + 1",
            server,
        )

    async def recount(self) -> None:
        """Reads the index of servers and deletions alone."""
        await self._sql.lock(Lock.SERVERS)
        await self._sql.run("DELETE FROM directory_server")
        await self._sql.run(
            "INSERT INTO directory_server (server, users) SELECT server, count(*) FROM account"
            " WHERE server IS NOT NULL AND deleted_at IS NULL GROUP BY server"
        )
