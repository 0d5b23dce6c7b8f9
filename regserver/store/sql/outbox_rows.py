"""The outbox of mail."""

from collections.abc import Sequence

from regserver.domain.instant import Instant
from regserver.ports.outbox_table import Backlog, OutboxId, OutboxMessage
from regserver.store.sql.statement import Rows, columns, placeholders

COLUMNS = columns(OutboxMessage)


class OutboxRows(Rows):
    """The table outbox. A leased message has a due time in the future and the name of its node."""

    async def add(self, sealed: bytes, now: Instant) -> None:
        """A row without a node, not parked."""
        statement = "INSERT INTO outbox (sealed, created_at, due_at) VALUES (?, ?, ?)"
        await self._sql.run(statement, sealed, now, now)

    async def lease(self, node: str, now: Instant, until: Instant, limit: int) -> tuple[OutboxMessage, ...]:
        """One UPDATE over the index of due times."""
        # due_at is compared twice: PostgreSQL evaluates the outer condition again when another node has changed the row.
        statement = (
            "UPDATE outbox SET due_at = ?, node = ?, attempts = attempts + 1 WHERE due_at <= ? AND id IN"
            " (SELECT id FROM outbox WHERE parked_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?)"
            f" RETURNING {COLUMNS}"
        )
        leased = await self._all(OutboxMessage, statement, until, node, now, now, limit)
        return tuple(sorted(leased, key=lambda message: message.id))

    async def release(self, node: str, now: Instant) -> int:
        """Parked messages stay parked."""
        statement = "UPDATE outbox SET due_at = ?, node = NULL WHERE node = ? AND parked_at IS NULL"
        return await self._sql.run(statement, now, node)

    async def remove(self, message: OutboxId) -> None:
        """Whichever node has leased it."""
        await self._sql.run("DELETE FROM outbox WHERE id = ?", message)

    async def postpone(self, message: OutboxId, due_at: Instant, attempts: int, fault: str) -> None:
        """Removes the node, so that the message may be requeued."""
        statement = "UPDATE outbox SET due_at = ?, attempts = ?, fault = ?, node = NULL WHERE id = ?"
        await self._sql.run(statement, due_at, attempts, fault, message)

    async def park(self, message: OutboxId, now: Instant, fault: str) -> None:
        """Keeps the due time; the indexes of waiting messages do not contain parked rows."""
        statement = "UPDATE outbox SET parked_at = ?, fault = ?, node = NULL WHERE id = ?"
        await self._sql.run(statement, now, fault, message)

    async def requeue(self, messages: Sequence[OutboxId] | None, now: Instant) -> int:
        """One UPDATE: the operator has typed the ids, so they are few."""
        # Rows with a node are being sent now; requeued, they would be sent twice.
        statement = "UPDATE outbox SET due_at = ?, attempts = 0, parked_at = NULL WHERE node IS NULL"
        if messages is None:
            return await self._sql.run(statement, now)
        return await self._sql.run(f"{statement} AND id IN ({placeholders(messages)})", now, *messages)

    async def list(self, limit: int) -> tuple[OutboxMessage, ...]:
        """Sorts the whole table: only the operator calls it."""
        order = "CASE WHEN parked_at IS NULL THEN 1 ELSE 0 END, created_at, id"
        return await self._all(OutboxMessage, f"SELECT {COLUMNS} FROM outbox ORDER BY {order} LIMIT ?", limit)

    async def page(self, after: OutboxId, limit: int) -> tuple[OutboxMessage, ...]:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM outbox WHERE id > ? ORDER BY id LIMIT ?"
        return await self._all(OutboxMessage, statement, after, limit)

    async def purge(self, parked_before: Instant) -> int:
        """Reads parked messages alone."""
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
