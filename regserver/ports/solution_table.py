"""Solved proofs of work, so that each counts once."""

from typing import Protocol

from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash


class SolutionTable(Protocol):
    """One row per accepted solution, until its challenge has expired."""

    async def spend(self, challenge: SecretHash, expires_at: Instant) -> bool:
        """Notes the challenge as solved; False when it was before (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes the rows of expired challenges; returns how many."""
