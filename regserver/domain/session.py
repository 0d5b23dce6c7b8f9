"""Sessions: what a token stands for, as its owner and the operator see it.

    sign-in, sign-up, or a named token → active → ended      by sign-out, or by what regserver.domain.ending says
                                                → expired    at its time

Of an ended or expired session nothing is kept. Its id is good for nothing but naming it, unlike its token.
"""

from typing import NewType

import msgspec

from regserver.domain.instant import MINUTE, Duration, Instant
from regserver.domain.invisible import has_invisible

SessionId = NewType("SessionId", int)
"""A random number, unique among the sessions of one account."""

SESSION_ID_BYTES = 4
MAX_AGENT_LENGTH = 200
MAX_TOKEN_NAME_LENGTH = 64
RECENT_SIGN_IN = Duration(15 * MINUTE)
"""How long after a sign-in a session needs no further proof of its person, where there is no password to ask for."""


class AccountSession(msgspec.Struct, frozen=True):
    """One session of an account.

    name: of a named token; None for a session by sign-in. agent: what the program called itself when it signed in.
    network: from which it did, coarse; either is "" where it is unknown. last_used_at: to the minute.
    """

    id: SessionId
    name: str | None
    agent: str
    network: str
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant


def session_id(randomness: bytes) -> SessionId:
    """The id of SESSION_ID_BYTES random bytes; at least 1."""
    return SessionId(int.from_bytes(randomness) + 1)


def clean_agent(text: str) -> str:
    """A User-Agent field as it is kept and shown: at most MAX_AGENT_LENGTH characters, all of them printed."""
    text = text[:MAX_AGENT_LENGTH]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text.strip()


def is_token_name(name: str) -> bool:
    """1 to MAX_TOKEN_NAME_LENGTH printed characters, without white space at either end."""
    fits = 0 < len(name) <= MAX_TOKEN_NAME_LENGTH and name == name.strip()
    return fits and name.isprintable() and not has_invisible(name)
