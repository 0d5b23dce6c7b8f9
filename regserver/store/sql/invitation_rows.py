"""Invitations."""

from regserver.domain.contact import ContactKey
from regserver.domain.instant import Instant
from regserver.domain.invitation import InvitationId, NewInvitation, SignUpInvitation
from regserver.domain.secret import SecretHash
from regserver.store.sql.statement import Rows, columns

COLUMNS = columns(SignUpInvitation)
GOOD = "hash = ? AND used < uses AND expires_at > ? AND (contact IS NULL OR contact = ?)"


class InvitationRows(Rows):
    """The table invitation."""

    async def add(self, secret: SecretHash, invitation: NewInvitation) -> InvitationId:
        """The hash is unique."""
        it = invitation
        statement = (
            "INSERT INTO invitation (hash, uses, note, contact, mask, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        bound = it.contact, it.mask
        times = it.created_at, it.expires_at
        return InvitationId(await self._sql.insert(statement, secret, it.uses, it.note, *bound, *times))

    async def is_good(self, secret: SecretHash, contact: ContactKey | None, now: Instant) -> bool:
        """Uses the unique index of hashes."""
        statement = f"SELECT 1 FROM invitation WHERE {GOOD}"
        return await self._sql.value(statement, secret, now, contact) is not None

    async def spend(
        self, secret: SecretHash, contact: ContactKey | None, now: Instant
    ) -> SignUpInvitation | None:
        """One UPDATE that compares and counts, so that the last use is spent once."""
        statement = f"UPDATE invitation SET used = used + 1 WHERE {GOOD} RETURNING {COLUMNS}"
        return await self._one(SignUpInvitation, statement, secret, now, contact)

    async def list(self, now: Instant, limit: int) -> tuple[SignUpInvitation, ...]:
        """Only the operator calls it."""
        statement = f"SELECT {COLUMNS} FROM invitation WHERE expires_at > ? ORDER BY id DESC LIMIT ?"
        return await self._all(SignUpInvitation, statement, now, limit)

    async def revoke(self, invitation: InvitationId) -> bool:
        """Uses the primary key."""
        return await self._sql.run("DELETE FROM invitation WHERE id = ?", invitation) > 0

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM invitation WHERE expires_at <= ?", now)
