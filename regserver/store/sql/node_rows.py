"""The nodes that serve on the store."""

from regserver.domain.instant import Instant
from regserver.ports.node_table import NodeRun
from regserver.store.sql.statement import Rows, columns

NODE = columns(NodeRun)


class NodeRows(Rows):
    """The table node."""

    async def all(self) -> tuple[NodeRun, ...]:
        """Reads the whole table, which is small."""
        return await self._all(NodeRun, f"SELECT {NODE} FROM node ORDER BY name COLLATE BINARY")

    async def find(self, name: str) -> NodeRun | None:
        """Reads one row."""
        return await self._one(NodeRun, f"SELECT {NODE} FROM node WHERE name = ?", name)

    async def take(self, name: str, run: bytes, before: NodeRun | None, now: Instant) -> bool:
        """One statement."""
        statement = (
            f"INSERT INTO node ({NODE}) VALUES (?, ?, 0, ?) ON CONFLICT (name) DO UPDATE"
            " SET run = excluded.run, beats = 0, seen_at = excluded.seen_at WHERE node.run = ? AND node.beats = ?"
        )
        old = (b"", -1) if before is None else (before.run, before.beats)
        return await self._sql.run(statement, name, run, now, *old) == 1

    async def beat(self, name: str, run: bytes, now: Instant) -> bool:
        """One statement."""
        statement = "UPDATE node SET beats = beats + 1, seen_at = ? WHERE name = ? AND run = ?"
        return await self._sql.run(statement, now, name, run) == 1

    async def leave(self, name: str, run: bytes) -> None:
        """One statement."""
        await self._sql.run("DELETE FROM node WHERE name = ? AND run = ?", name, run)
