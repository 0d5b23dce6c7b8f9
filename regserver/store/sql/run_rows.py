"""The newest past live registrations of each source."""

import msgspec

from regserver.domain.estimate import Run
from regserver.domain.instant import Instant
from regserver.store.sql.statement import Rows

_decode_marks = msgspec.json.Decoder(tuple[tuple[int, int], ...]).decode


class RunRows(Rows):
    """The table live_run."""

    async def add(self, source: str, run: Run, now: Instant, keep: int) -> None:
        """Removes older rows by their ids; with gaps between the ids fewer remain."""
        insert = "INSERT INTO live_run (source, took_ms, marks, ended_at) VALUES (?, ?, ?, ?)"
        await self._sql.run(insert, source, run.took_ms, msgspec.json.encode(run.marks).decode(), now)
        newest = "SELECT max(id) FROM live_run WHERE source = ?"
        delete = f"DELETE FROM live_run WHERE source = ? AND id <= ({newest}) - ?"
        await self._sql.run(delete, source, source, keep)

    async def newest(self, source: str, count: int) -> tuple[Run, ...]:
        """Uses the index of a source's runs."""
        statement = "SELECT took_ms, marks FROM live_run WHERE source = ? ORDER BY id DESC LIMIT ?"
        rows = await self._sql.rows(statement, source, count)
        return tuple(Run(row[0], _decode_marks(row[1])) for row in reversed(rows))
