"""Signed transactions on their way to another ledger."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A signed transaction that makes an account on another ledger.

    signed: the body that is pushed. expires_at: by the clock of that ledger.
    """

    user_id: str
    owner_key: str
    active_key: str
    transaction_id: str
    signed: bytes
    expires_at: Instant


class SubmissionTable(Protocol):
    """One row per userId."""

    async def by_user_id(self, user_id: str) -> Submission | None:
        """The stored submission of this userId."""

    async def offer(self, submission: Submission, now: Instant) -> Submission:
        """Stores the submission unless an earlier one is valid at `now`; returns the stored one (atomic)."""
