"""Past live registrations: the newest few of each source."""

import msgspec

from regserver.domain.estimate import Run
from regserver.domain.instant import Instant
from regserver.store.sql.statement import Sql

_decode_marks = msgspec.json.Decoder(tuple[tuple[int, int], ...]).decode


class RunRows:
    """The table live_run."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, source: str, run: Run, now: Instant, keep: int) -> None:
        """Drops the older ones by their ids, so a gap in these keeps fewer."""
        await self._sql.run(
            "INSERT INTO live_run (source, took_ms, marks, ended_at) VALUES (?, ?, ?, ?)",
            source,
            run.took_ms,
            msgspec.json.encode(run.marks).decode(),
            now,
        )
        await self._sql.run(
            "DELETE FROM live_run WHERE source = ? AND id <= (SELECT max(id) FROM live_run WHERE source = ?) - ?",
            source,
            source,
            keep,
        )

    async def newest(self, source: str, count: int) -> tuple[Run, ...]:
        """Uses the index of a source's runs."""
        rows = await self._sql.rows(
            "SELECT took_ms, marks FROM live_run WHERE source = ? ORDER BY id DESC LIMIT ?", source, count
        )
        return tuple(Run(row[0], _decode_marks(row[1])) for row in reversed(rows))
