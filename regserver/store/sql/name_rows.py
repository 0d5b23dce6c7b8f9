"""Taken user names."""

from regserver.domain.account import NameKey
from regserver.domain.instant import Instant
from regserver.ports.name_table import Holder, NameHash
from regserver.store.sql.statement import Rows, Sql

HOLDER = "SELECT holder, expires_at FROM name WHERE name_key = ? AND (expires_at IS NULL OR expires_at > ?)"


class NameRows(Rows):
    """The table name. hash_name: None where the key of names is not at hand, and no name is given away."""

    def __init__(self, sql: Sql, hash_name: NameHash | None) -> None:
        super().__init__(sql)
        self._hash = hash_name

    async def claim(self, key: NameKey, holder: str, expires_at: Instant | None, now: Instant) -> bool:
        """An upsert that replaces only the holder's own row or a lapsed reservation."""
        statement = (
            "INSERT INTO name (name_key, holder, expires_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name_key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
            " WHERE name.holder = excluded.holder OR name.expires_at <= ? RETURNING 1"
        )
        if await self._sql.value(statement, key, holder, expires_at, now) is None:
            return False
        # Afterwards: the row of an account that is being erased has kept this claim waiting until its hash was written.
        if await self._erased(key, now) is None:
            return True
        await self.release(key, holder)
        return False

    async def holder(self, key: NameKey, now: Instant) -> Holder | None:
        """Uses the primary key."""
        return await self._one(Holder, HOLDER, key, now) or await self._erased(key, now)

    async def _erased(self, key: NameKey, now: Instant) -> Holder | None:
        return None if self._hash is None else await self._one(Holder, HOLDER, self._hash(key), now)

    async def erase(self, key: NameKey, holder: str) -> None:
        """One UPDATE. Raises ValueError without the key of names."""
        if self._hash is None:
            raise ValueError("the key of names is not at hand")
        statement = "UPDATE name SET name_key = ? WHERE name_key = ? AND holder = ?"
        await self._sql.run(statement, self._hash(key), key, holder)

    async def release(self, key: NameKey, holder: str) -> None:
        """Does nothing if the name has another holder."""
        await self._sql.run("DELETE FROM name WHERE name_key = ? AND holder = ?", key, holder)

    async def kept(self, prefix: str) -> tuple[tuple[NameKey, str], ...]:
        """Reads the whole table; for the start of a server."""
        statement = (
            "SELECT name_key, holder FROM name WHERE expires_at IS NULL"
            " AND substr(holder, 1, CAST(? AS INTEGER)) = ? ORDER BY name_key"
        )
        rows = await self._sql.rows(statement, len(prefix), prefix)
        return tuple((NameKey(key), str(holder)) for key, holder in rows)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times; names held for good have none."""
        return await self._sql.run("DELETE FROM name WHERE expires_at <= ?", now)
