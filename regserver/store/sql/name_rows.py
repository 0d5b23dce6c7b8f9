"""Taken user names."""

from regserver.domain.account import NameKey
from regserver.domain.instant import Instant
from regserver.ports.name_table import Holder
from regserver.store.sql.statement import Rows


class NameRows(Rows):
    """The table name."""

    async def claim(self, key: NameKey, holder: str, expires_at: Instant | None, now: Instant) -> bool:
        """An upsert that replaces only the holder's own row or a lapsed reservation."""
        statement = (
            "INSERT INTO name (name_key, holder, expires_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name_key) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
            " WHERE name.holder = excluded.holder OR name.expires_at <= ? RETURNING 1"
        )
        return await self._sql.value(statement, key, holder, expires_at, now) is not None

    async def holder(self, key: NameKey, now: Instant) -> Holder | None:
        """Uses the primary key."""
        held = "name WHERE name_key = ? AND (expires_at IS NULL OR expires_at > ?)"
        return await self._one(Holder, f"SELECT holder, expires_at FROM {held}", key, now)

    async def release(self, key: NameKey, holder: str) -> None:
        """Does nothing if the name has another holder."""
        await self._sql.run("DELETE FROM name WHERE name_key = ? AND holder = ?", key, holder)

    async def kept(self, prefix: str) -> tuple[tuple[NameKey, str], ...]:
        """Reads the whole table; for the start of a server."""
        statement = (
            "SELECT name_key, holder FROM name WHERE expires_at IS NULL AND substr(holder, 1, ?) = ?"
            " ORDER BY name_key"
        )
        rows = await self._sql.rows(statement, len(prefix), prefix)
        return tuple((NameKey(key), str(holder)) for key, holder in rows)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times; names held for good have none."""
        return await self._sql.run("DELETE FROM name WHERE expires_at <= ?", now)
