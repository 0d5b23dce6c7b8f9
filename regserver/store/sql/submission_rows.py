"""Signed transactions on their way to another ledger."""

import msgspec

from regserver.domain.instant import Instant
from regserver.ports.submission_table import Submission
from regserver.store.sql.statement import Rows, columns, placeholders

COLUMNS = columns(Submission)


class SubmissionRows(Rows):
    """The table ledger_submission. Its columns are the fields of Submission."""

    async def by_user_id(self, user_id: str) -> Submission | None:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM ledger_submission WHERE user_id = ?"
        return await self._one(Submission, statement, user_id)

    async def offer(self, submission: Submission, now: Instant) -> Submission:
        """An upsert that replaces only an expired row; then the row is read."""
        values = msgspec.structs.astuple(submission)
        statement = (
            f"INSERT INTO ledger_submission ({COLUMNS}) VALUES ({placeholders(values)})"
            " ON CONFLICT (user_id) DO UPDATE SET owner_key = excluded.owner_key, active_key = excluded.active_key,"
            " transaction_id = excluded.transaction_id, signed = excluded.signed, expires_at = excluded.expires_at"
            " WHERE ledger_submission.expires_at < ?"
        )
        await self._sql.run(statement, *values, now)
        return await self.by_user_id(submission.user_id) or submission
