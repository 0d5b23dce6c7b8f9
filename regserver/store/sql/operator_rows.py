"""Operator keys."""

from regserver.domain.instant import Instant
from regserver.domain.operator_key import KeyId, Role, StoredKey
from regserver.domain.secret import SecretHash
from regserver.store.sql.statement import Rows, columns

COLUMNS = columns(StoredKey)


class OperatorRows(Rows):
    """The tables operator_key and operator_entry."""

    async def add(self, secret: SecretHash, name: str, role: Role, now: Instant) -> KeyId | None:
        """One INSERT, so that of two keys of a name one is made."""
        statement = (
            "INSERT INTO operator_key (name, role, hash, created_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO NOTHING RETURNING id"
        )
        found = await self._sql.value(statement, name, role, secret, now)
        return None if found is None else KeyId(found)

    async def find(self, secret: SecretHash) -> StoredKey | None:
        """Uses the unique index of hashes."""
        return await self._one(StoredKey, f"SELECT {COLUMNS} FROM operator_key WHERE hash = ?", secret)

    async def list(self, limit: int) -> tuple[StoredKey, ...]:
        """Uses the index of names."""
        statement = f"SELECT {COLUMNS} FROM operator_key ORDER BY name COLLATE BINARY LIMIT ?"
        return await self._all(StoredKey, statement, limit)

    async def revoke(self, name: str) -> bool:
        """Its sessions go by the foreign key."""
        return await self._sql.run("DELETE FROM operator_key WHERE name = ?", name) > 0

    async def add_entry(self, entry: SecretHash, key: KeyId | None, expires_at: Instant) -> None:
        """The hash is unique."""
        statement = "INSERT INTO operator_entry (hash, key_id, expires_at) VALUES (?, ?, ?)"
        await self._sql.run(statement, entry, key, expires_at)

    async def entered(self, entry: SecretHash, now: Instant) -> StoredKey | None:
        """Uses the primary keys."""
        names = ", ".join(f"operator_key.{name}" for name in StoredKey.__struct_fields__)
        statement = (
            f"SELECT {names} FROM operator_entry JOIN operator_key ON operator_key.id = key_id"
            " WHERE operator_entry.hash = ? AND expires_at > ?"
        )
        return await self._one(StoredKey, statement, entry, now)

    async def leave(self, entry: SecretHash) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM operator_entry WHERE hash = ? AND key_id IS NOT NULL", entry)

    async def trim_entries(self, key: KeyId, most: int) -> None:
        """Uses the index of keys; a key has few sessions."""
        longest = "SELECT hash FROM operator_entry WHERE key_id = ? ORDER BY expires_at DESC, hash LIMIT ?"
        statement = f"DELETE FROM operator_entry WHERE key_id = ? AND hash NOT IN ({longest})"
        await self._sql.run(statement, key, key, most)

    async def drop_links(self) -> int:
        """There is one at most."""
        return await self._sql.run("DELETE FROM operator_entry WHERE key_id IS NULL")

    async def take_link(self, entry: SecretHash, now: Instant) -> bool:
        """One DELETE that compares, so that it is spent once."""
        statement = "DELETE FROM operator_entry WHERE hash = ? AND key_id IS NULL AND expires_at > ?"
        return await self._sql.run(statement, entry, now) > 0

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM operator_entry WHERE expires_at <= ?", now)
