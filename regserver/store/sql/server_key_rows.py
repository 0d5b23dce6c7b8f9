"""The fingerprint of the server's own key."""

from regserver.store.sql.statement import Rows


class ServerKeyRows(Rows):
    """The table server_key, of one row."""

    async def find(self) -> bytes | None:
        """Reads the row."""
        found: bytes | None = await self._sql.value("SELECT fingerprint FROM server_key WHERE id = 1")
        return found

    async def settle(self, fingerprint: bytes) -> bytes:
        """The second of two nodes waits for the first, and then reads what that has written."""
        await self._sql.run(
            "INSERT INTO server_key (id, fingerprint) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", fingerprint
        )
        return await self.find() or fingerprint
