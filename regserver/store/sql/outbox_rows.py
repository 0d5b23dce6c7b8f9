"""The outbox of mail."""

from collections.abc import Sequence

from regserver.domain.instant import Instant
from regserver.ports.outbox_table import Backlog, OutboxId, OutboxMessage
from regserver.store.sql.statement import Sql, placeholders

COLUMNS = "id, sealed, created_at, due_at, attempts, parked_at, fault"


def _waiting(row: tuple[object, ...]) -> OutboxMessage:
    return OutboxMessage(**dict(zip(OutboxMessage.__struct_fields__, row, strict=True)))  # type: ignore[arg-type]


class OutboxRows:
    """The table outbox. A message is leased by a due time ahead of now and the name of the node."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, sealed: bytes, now: Instant) -> None:
        """Without a node and not parked."""
        await self._sql.run(
            "INSERT INTO outbox (sealed, created_at, due_at) VALUES (?, ?, ?)", sealed, now, now
        )

    async def lease(self, node: str, now: Instant, until: Instant, limit: int) -> tuple[OutboxMessage, ...]:
        """One UPDATE over the index of due times."""
        # due_at is asked for twice: where two nodes meet at a row, the second looks at it again and finds it gone.
        rows = await self._sql.rows(
            "UPDATE outbox SET due_at = ?, node = ?, attempts = attempts + 1 WHERE due_at <= ? AND id IN"
            " (SELECT id FROM outbox WHERE parked_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?)"
            f" RETURNING {COLUMNS}",
            until,
            node,
            now,
            now,
            limit,
        )
        return tuple(sorted((_waiting(row) for row in rows), key=lambda waiting: waiting.id))

    async def release(self, node: str, now: Instant) -> int:
        """Parked messages stay parked."""
        return await self._sql.run(
            "UPDATE outbox SET due_at = ?, node = NULL WHERE node = ? AND parked_at IS NULL", now, node
        )

    async def remove(self, message: OutboxId) -> None:
        """Whoever has it leased."""
        await self._sql.run("DELETE FROM outbox WHERE id = ?", message)

    async def postpone(self, message: OutboxId, due_at: Instant, attempts: int, fault: str) -> None:
        """The node goes, so that the message may be requeued."""
        await self._sql.run(
            "UPDATE outbox SET due_at = ?, attempts = ?, fault = ?, node = NULL WHERE id = ?",
            due_at,
            attempts,
            fault,
            message,
        )

    async def park(self, message: OutboxId, now: Instant, fault: str) -> None:
        """The due time stays; the indexes of waiting messages leave the row out."""
        await self._sql.run(
            "UPDATE outbox SET parked_at = ?, fault = ?, node = NULL WHERE id = ?", now, fault, message
        )

    async def requeue(self, messages: Sequence[OutboxId] | None, now: Instant) -> int:
        """A list is short: an operator has typed it."""
        # What a sender has leased right now (node) is left to it: it would else go out twice.
        statement = "UPDATE outbox SET due_at = ?, attempts = 0, parked_at = NULL WHERE node IS NULL"
        if messages is None:
            return await self._sql.run(statement, now)
        return await self._sql.run(f"{statement} AND id IN ({placeholders(messages)})", now, *messages)

    async def list(self, limit: int) -> tuple[OutboxMessage, ...]:
        """Sorts the whole table; only the operator asks."""
        rows = await self._sql.rows(
            f"SELECT {COLUMNS} FROM outbox"
            " ORDER BY CASE WHEN parked_at IS NULL THEN 1 ELSE 0 END, created_at, id LIMIT ?",
            limit,
        )
        return tuple(_waiting(row) for row in rows)

    async def purge(self, parked_before: Instant) -> int:
        """Looks at parked messages alone."""
        return await self._sql.run("DELETE FROM outbox WHERE parked_at < ?", parked_before)

    async def backlog(self) -> Backlog:
        """One statement over the indexes of waiting and parked messages."""
        row = await self._sql.row(
            "SELECT (SELECT count(*) FROM outbox WHERE parked_at IS NULL),"
            " (SELECT min(created_at) FROM outbox WHERE parked_at IS NULL),"
            " (SELECT min(due_at) FROM outbox WHERE parked_at IS NULL),"
            " (SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL)"
        )
        return Backlog(0, None, None, 0) if row is None else Backlog(*row)
