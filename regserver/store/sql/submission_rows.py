"""Signed transactions on their way to another ledger."""

from regserver.domain.instant import Instant
from regserver.ports.submission_table import Submission
from regserver.store.sql.statement import Sql, placeholders

COLUMNS = ", ".join(Submission.__struct_fields__)


class SubmissionRows:
    """The table ledger_submission. Its columns are the fields of Submission."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def by_user_id(self, user_id: str) -> Submission | None:
        """Uses the primary key."""
        row = await self._sql.row(f"SELECT {COLUMNS} FROM ledger_submission WHERE user_id = ?", user_id)
        if row is None:
            return None
        return Submission(**dict(zip(Submission.__struct_fields__, row, strict=True)))

    async def offer(self, submission: Submission, now: Instant) -> Submission:
        """An upsert that wins only over an expired row; then what is there is read."""
        values = [getattr(submission, field) for field in Submission.__struct_fields__]
        await self._sql.run(
            f"INSERT INTO ledger_submission ({COLUMNS}) VALUES ({placeholders(values)})"
            " ON CONFLICT (user_id) DO UPDATE SET owner_key = excluded.owner_key, active_key = excluded.active_key,"
            " transaction_id = excluded.transaction_id, signed = excluded.signed, expires_at = excluded.expires_at"
            " WHERE ledger_submission.expires_at < ?",
            *values,
            now,
        )
        return await self.by_user_id(submission.user_id) or submission
