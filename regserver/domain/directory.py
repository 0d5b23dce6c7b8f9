"""The directory's rules: what a name, a password and a challenge look like, and how a sign-up can end.

All patterns are ASCII and matched to the end: Python's own classes would let through what only looks like a letter or
a digit (the Kelvin sign, Arabic digits), and `$` a trailing newline.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from regserver.domain.account import is_email, name_key

Language = Literal["en", "fr", "ru"]
"""Languages of mails and pages."""

MessageId = Literal[
    "INIT_DONE",
    "INVALID_USER_NAME",
    "RESERVED_USER_NAME",
    "EXISTING_USER_NAME",
    "INVALID_PASSWORD",
    "INVALID_EMAIL",
    "EXISTING_EMAIL",
    "INVALID_DATA",
    "INVALID_JSON_REQUEST",
    "INVALID_CHALLENGE",
    "NO_PENDING_CREATION",
    "ALREADY_CONFIRMED",
    "UNKOWN_USER_NAME",
    "INVALID_TRUSTED_KEY",
    "BAD_CONTENT_TYPE",
    "BODY_TOO_LARGE",
    "TOO_MANY_REQUESTS",
    "INTERNAL_ERROR",
]
"""What this door says, as its clients read it; the spelling of UNKOWN_USER_NAME is the seed's."""

MAX_PENDING_PER_EMAIL = 50
"""So many sign-ups may wait for one address: nobody shall be able to fill a stranger's mailbox."""

CHALLENGE_LENGTH = 24
"""142 bits in base 62."""
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_NAME = re.compile(r"[A-Za-z0-9]{5,21}", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9]{5,200}", re.ASCII)


class SignUpFields(msgspec.Struct, frozen=True):
    """What was asked for; None where a field was absent or no string."""

    username: str | None
    password: str | None
    email: str | None
    language: Language


class DirectoryRefusal(msgspec.Struct, frozen=True):
    """Base of this door's own refusals."""


class InvalidUserName(DirectoryRefusal, frozen=True):
    """Not a name of this door."""


class InvalidData(DirectoryRefusal, frozen=True):
    """A sign-up that cannot be. errors: everything that is wrong with it, in the door's order."""

    errors: tuple[MessageId, ...]


class InvalidChallenge(DirectoryRefusal, frozen=True):
    """Not a challenge at all."""


class NoPendingCreation(DirectoryRefusal, frozen=True):
    """Unknown, or not confirmed in time."""


class AlreadyConfirmed(DirectoryRefusal, frozen=True):
    """The name belongs to an account by now. server: that account's; None is this host."""

    server: str | None


class UnknownUserName(DirectoryRefusal, frozen=True):
    """Nobody has this name."""


class TooManyPending(DirectoryRefusal, frozen=True):
    """Too many sign-ups wait for this address. retry_after: whole seconds, at least 1."""

    retry_after: int


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def is_password(text: str) -> bool:
    """6 to 99 code points without white space at either end."""
    return 6 <= len(text) <= 99 and text == text.strip()


def is_challenge(text: str) -> bool:
    return _CHALLENGE.fullmatch(text) is not None


def is_reserved(name: str, reserved: Sequence[str]) -> bool:
    return name_key(name) in {name_key(word) for word in reserved}


def syntax_errors(sign_up: SignUpFields, reserved: Sequence[str]) -> tuple[MessageId, ...]:
    """What is wrong with the fields by themselves: name, password, e-mail."""
    errors: list[MessageId] = []
    if sign_up.username is None or not is_name(sign_up.username):
        errors.append("INVALID_USER_NAME")
    elif is_reserved(sign_up.username, reserved):
        errors.append("RESERVED_USER_NAME")
    if sign_up.password is None or not is_password(sign_up.password):
        errors.append("INVALID_PASSWORD")
    if sign_up.email is None or not is_email(sign_up.email):
        errors.append("INVALID_EMAIL")
    return tuple(errors)


def language(code: object) -> Language:
    """The language to write in, from a client's code such as "fr" or "fr-CH"; English for all others."""
    if isinstance(code, str):
        match code[:3].lower().replace("_", "-").partition("-")[0]:
            case "fr":
                return "fr"
            case "ru":
                return "ru"
    return "en"


def new_challenge(below62: Sequence[int]) -> str:
    """A challenge from CHALLENGE_LENGTH uniform numbers, 0 <= n < 62."""
    if len(below62) != CHALLENGE_LENGTH:
        raise ValueError(f"a challenge takes {CHALLENGE_LENGTH} numbers")
    return "".join(BASE62[number] for number in below62)


def least_used(servers: Sequence[str], users: Mapping[str, int]) -> str | None:
    """The server with fewest users, the first of equals; None, this host, when there is no list."""
    return min(servers, key=lambda server: users.get(server, 0), default=None)
