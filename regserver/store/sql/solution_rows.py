"""Solved proofs of work."""

from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash
from regserver.store.sql.statement import Rows


class SolutionRows(Rows):
    """The table captcha_solution."""

    async def spend(self, challenge: SecretHash, expires_at: Instant) -> bool:
        """One INSERT, whose primary key settles a race."""
        statement = (
            "INSERT INTO captcha_solution (challenge, expires_at) VALUES (?, ?)"
            " ON CONFLICT (challenge) DO NOTHING RETURNING 1"
        )
        return await self._sql.value(statement, challenge, expires_at) is not None

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM captcha_solution WHERE expires_at <= ?", now)
