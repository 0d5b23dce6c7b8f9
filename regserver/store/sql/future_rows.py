"""Times that lie further ahead than they can."""

from regserver.domain.instant import Duration, Instant, after
from regserver.ports.future_table import Horizons
from regserver.store.sql.statement import Rows

# Beginnings: of what is counted from them on. None can lie ahead.
BEGINNINGS = (("steps_budget", "started_at"), ("guess", "failed_at"))


class FutureRows(Rows):
    """One UPDATE for each column; tables of what waits are small."""

    async def pull_in(self, now: Instant, horizons: Horizons) -> int:
        """Reads each of these tables once."""
        none = Duration(0)
        ends = (
            # Parked mail waits for the operator, and mail with a node is being sent.
            ("outbox", "due_at", horizons.mail, " AND parked_at IS NULL AND node IS NULL"),
            ("hook_delivery", "due_at", horizons.mail, " AND node IS NULL"),
            ("webhook", "paused_until", horizons.mail, ""),
            ("steps_registration", "retry_at", horizons.retry, ""),
            ("sign_in_code", "retry_at", horizons.retry, ""),
            ("steps_registration", "lapses_at", horizons.registration, ""),
            ("name", "expires_at", horizons.reservation, ""),
            ("sms_tally", "closed_until", horizons.closure, ""),
            *((table, column, none, "") for table, column in BEGINNINGS),
        )
        changed = 0
        for table, column, horizon, condition in ends:
            latest = after(now, horizon)
            statement = f"UPDATE {table} SET {column} = ? WHERE {column} > ?{condition}"
            changed += await self._sql.run(statement, latest, latest)
        return changed
