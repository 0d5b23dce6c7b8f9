"""Live registrations as the nodes on one store see them."""

from collections.abc import Mapping, Sequence

from regserver.domain.instant import Instant
from regserver.ports.live_table import LiveAdded, LiveEnd, LiveRow
from regserver.ports.transaction import Lock
from regserver.store.sql.statement import Rows, Sql, columns

ROW = columns(LiveRow)


class LiveRows(Rows):
    """The tables live_job and live_event. grown: whether this unit has added an event."""

    def __init__(self, sql: Sql) -> None:
        super().__init__(sql)
        self.grown = False

    async def add(self, row: LiveRow, most: int) -> LiveAdded:
        """One statement under the lock; it counts by the index of running ones, which decides of a person too."""
        await self._sql.lock(Lock.LIVE)
        statement = (
            f"INSERT INTO live_job ({ROW}) SELECT ?, ?, ?, 0, ?, NULL"
            " WHERE (SELECT count(*) FROM live_job WHERE over_at IS NULL) < ? ON CONFLICT DO NOTHING"
        )
        if await self._sql.run(statement, row.id, row.person, row.run, row.sealed, most):
            return "added"
        return "full" if await self.of_person(row.person) is None else "taken"

    async def find(self, job: bytes) -> LiveRow | None:
        """By the primary key."""
        return await self._one(LiveRow, f"SELECT {ROW} FROM live_job WHERE id = ?", job)

    async def of_person(self, person: bytes) -> LiveRow | None:
        """Uses the index of running ones."""
        statement = f"SELECT {ROW} FROM live_job WHERE person = ? AND over_at IS NULL"
        return await self._one(LiveRow, statement, person)

    async def running(self) -> tuple[LiveRow, ...]:
        """Uses the same index."""
        return await self._all(LiveRow, f"SELECT {ROW} FROM live_job WHERE over_at IS NULL")

    async def hold(self, job: bytes, run: bytes) -> bool:
        """A change of nothing, which locks the row on PostgreSQL."""
        return await self._sql.run("UPDATE live_job SET run = run WHERE id = ? AND run = ?", job, run) == 1

    async def take_over(self, row: LiveRow, run: bytes) -> bool:
        """One statement."""
        statement = "UPDATE live_job SET run = ? WHERE id = ? AND run = ? AND over_at IS NULL"
        return await self._sql.run(statement, run, row.id, row.run) == 1

    async def append(
        self, row: tuple[bytes, bytes], first: int, sealed: Sequence[bytes], end: LiveEnd | None
    ) -> bool:
        """The change of the row comes first, so that units of two nodes wait for each other there."""
        length = first - 1 + len(sealed)
        over_at, account = (None, None) if end is None else (end.at, end.account)
        statement = (
            "UPDATE live_job SET events = CASE WHEN events < ? THEN ? ELSE events END,"
            " over_at = COALESCE(over_at, ?), account_id = COALESCE(account_id, ?) WHERE id = ? AND run = ?"
        )
        if await self._sql.run(statement, length, length, over_at, account, *row) == 0:
            return False
        self.grown = True
        await self._sql.run_many(
            "INSERT INTO live_event (job_id, number, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(row[0], number, event) for number, event in enumerate(sealed, first)],
        )
        return True

    async def lengths(self, jobs: Sequence[bytes]) -> Mapping[bytes, int]:
        """By the primary key."""
        rows = await self._among(jobs, "SELECT id, events FROM live_job WHERE id")
        return {bytes(job): events for job, events in rows}

    async def events(self, job: bytes, after: int, limit: int) -> tuple[bytes, ...]:
        """By the primary key."""
        statement = "SELECT sealed FROM live_event WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?"
        return tuple([bytes(row[0]) for row in await self._sql.rows(statement, job, after, limit)])

    async def purge(self, before: Instant) -> int:
        """Uses the index of those that are over; their events go with them."""
        return await self._sql.run("DELETE FROM live_job WHERE over_at < ?", before)
