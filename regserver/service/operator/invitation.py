"""Invitations: made, listed, revoked."""

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.contact import Pepper, parse_email
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.invitation import (
    LONGEST_LIFE,
    MOST_USES,
    SHORTEST_LIFE,
    InvitationId,
    NewInvitation,
    SignUpInvitation,
    is_note,
)
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import BadInvitation, InvitationNotFound
from regserver.domain.outcome import BadEmail
from regserver.domain.secret import TOKEN_BYTES, hash_secret, new_token
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit

MOST_INVITATIONS = 1000
"""Listed at once."""


class InvitationWish(msgspec.Struct, frozen=True):
    """email: the address that it is bound to; None for anybody. life: how long it is good."""

    uses: int
    note: str
    email: str | None
    life: Duration


class InvitationMade(msgspec.Struct, frozen=True):
    """secret: it is shown this once."""

    id: InvitationId
    secret: str
    invitation: NewInvitation


class InvitationDesk:
    """The use cases of invitations."""

    def __init__(self, unit: OperatorUnit, randomness: Randomness, pepper: Pepper) -> None:
        self._unit = unit
        self._randomness = randomness
        self._pepper = pepper

    async def create(
        self, who: OperatorCredential, wish: InvitationWish
    ) -> InvitationMade | Denied | BadInvitation | BadEmail:
        """Makes one. Raises StoreFault."""
        contact = None if wish.email is None else parse_email(wish.email)
        if wish.email is not None and contact is None:
            return BadEmail()
        is_sound = 1 <= wish.uses <= MOST_USES and SHORTEST_LIFE <= wish.life <= LONGEST_LIFE
        if not is_sound or not is_note(wish.note):
            return BadInvitation()
        secret = new_token("regi_", self._randomness.bytes(TOKEN_BYTES))

        async def act(transaction: Transaction, now: Instant) -> InvitationMade:
            new = NewInvitation(
                uses=wish.uses,
                note=wish.note,
                contact=None if contact is None else self._pepper.contact_key(contact),
                mask=None if contact is None else contact.mask,
                created_at=now,
                expires_at=after(now, wish.life),
            )
            number = await transaction.invitations.add(hash_secret(secret), new)
            transaction.audit.note(AuditNote(action="invitation_made", subject=f"invitation {number}"))
            return InvitationMade(number, secret, new)

        return await self._unit.write(who, Operation.CHANGE_INVITATIONS, act)

    async def list(self, who: OperatorCredential) -> tuple[SignUpInvitation, ...] | Denied:
        """Those that are good, the newest first. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> tuple[SignUpInvitation, ...]:
            return await transaction.invitations.list(now, MOST_INVITATIONS)

        return await self._unit.read(who, Operation.READ_INVITATIONS, act)

    async def revoke(
        self, who: OperatorCredential, number: InvitationId
    ) -> Denied | InvitationNotFound | None:
        """Ends one. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> InvitationNotFound | None:
            if not await transaction.invitations.revoke(number):
                return InvitationNotFound()
            transaction.audit.note(AuditNote(action="invitation_revoked", subject=f"invitation {number}"))
            return None

        return await self._unit.write(who, Operation.CHANGE_INVITATIONS, act)
