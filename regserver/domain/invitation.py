"""Invitations of the operator's: each makes so many accounts, until a time, for whoever has its secret.

Only the hash of the secret is stored. A use is spent in the transaction that makes the account, so that no two sign-ups
share one. An invitation that is bound to an address is good for that address alone.
"""

from typing import NewType

import msgspec

from regserver.domain.contact import ContactKey
from regserver.domain.instant import DAY, MINUTE, Duration, Instant
from regserver.domain.invisible import has_invisible

InvitationId = NewType("InvitationId", int)

MOST_USES = 1_000_000
LIFE = Duration(7 * DAY)
"""How long an invitation is good unless the operator says otherwise."""
SHORTEST_LIFE = Duration(MINUTE)
LONGEST_LIFE = Duration(366 * DAY)
MAX_NOTE_LENGTH = 200


class NewInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation before it has a number. uses: accounts that it makes. note: the operator's own, "" for none.

    contact, mask: of the address that it is bound to; None where it is bound to none.
    """

    uses: int
    note: str
    contact: ContactKey | None
    mask: str | None
    created_at: Instant
    expires_at: Instant


class SignUpInvitation(NewInvitation, frozen=True, kw_only=True):
    """An invitation without its secret. used: accounts that it has made."""

    id: InvitationId
    used: int


def is_note(text: str) -> bool:
    """At most MAX_NOTE_LENGTH characters that can be seen, so that a list of them stays a list."""
    return len(text) <= MAX_NOTE_LENGTH and text.isprintable() and not has_invisible(text)
