"""Invitations, by the hash of their secret."""

from typing import Protocol

from regserver.domain.contact import ContactKey
from regserver.domain.instant import Instant
from regserver.domain.invitation import InvitationId, NewInvitation, SignUpInvitation
from regserver.domain.secret import SecretHash


class InvitationTable(Protocol):
    """An invitation is good while it has uses left and has not expired, for the contact that it is bound to, if it is."""

    async def add(self, secret: SecretHash, invitation: NewInvitation) -> InvitationId:
        """Writes a new invitation."""

    async def is_good(self, secret: SecretHash, contact: ContactKey | None, now: Instant) -> bool:
        """Whether a use could be spent for an account with this contact."""

    async def spend(
        self, secret: SecretHash, contact: ContactKey | None, now: Instant
    ) -> SignUpInvitation | None:
        """Spends a use; the invitation afterwards. None, and nothing is spent, when it is not good (atomic)."""

    async def list(self, now: Instant, limit: int) -> tuple[SignUpInvitation, ...]:
        """Invitations that have not expired, used up ones included, newest first."""

    async def revoke(self, invitation: InvitationId) -> bool:
        """Removes an invitation; False when there is none (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes expired ones; returns how many."""
