"""The directory's rules: names, challenges, the choice of a server, and its refusals.

All patterns are ASCII and match the whole text: Python's own classes would accept other letters and digits (the Kelvin
sign, Arabic digits), and `$` a trailing newline.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from regserver.domain.account import EmailKey, NameKey, email_key, name_key
from regserver.domain.email import read_email
from regserver.domain.outcome import Refusal
from regserver.domain.password import is_directory_password

SignUpFault = Literal["bad_name", "reserved_name", "taken_name", "bad_password", "bad_email", "taken_email"]
"""The faults that a sign-up can have."""

MAX_PENDING_PER_EMAIL = 50
"""Sign-ups that may wait for one address, so that nobody can flood a stranger's mailbox."""

CHALLENGE_LENGTH = 24
"""142 bits in base 62."""
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_NAME = re.compile(r"[A-Za-z0-9]{5,21}", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9]{5,200}", re.ASCII)


# --- refusals
class DirectoryRefusal(Refusal, frozen=True):
    """Base of this door's own refusals."""


class InvalidUserName(DirectoryRefusal, frozen=True):
    """Not a name of this door."""


class InvalidData(DirectoryRefusal, frozen=True):
    """A sign-up that is refused. faults: all of them; those of syntax come before names and addresses that are taken."""

    faults: Annotated[tuple[SignUpFault, ...], Meta(examples=[("bad_name",)])]


class InvalidChallenge(DirectoryRefusal, frozen=True):
    """Not the text of a challenge."""


class NoPendingCreation(DirectoryRefusal, frozen=True):
    """Unknown, or not confirmed in time."""


class AlreadyConfirmed(DirectoryRefusal, frozen=True):
    """The name belongs to an account by now. server: that account's; None is this host."""

    server: Annotated[str | None, Meta(examples=["one.example.org"])]


class SignUpClosed(DirectoryRefusal, frozen=True):
    """The operator does not take sign-ups at this door."""


class SignUpNotInvited(DirectoryRefusal, frozen=True):
    """Sign-ups need an invitation here, and there is none that is good for this address."""


class InvalidTrustedKey(DirectoryRefusal, frozen=True):
    """A bearer token, but not the key that signs users up without a mail."""


class UnknownUserName(DirectoryRefusal, frozen=True):
    """No user has this name."""


class TooManyPending(DirectoryRefusal, frozen=True):
    """Too many sign-ups wait for this address, or it was sent enough mails. retry_after: whole seconds, at least 1."""

    retry_after: Annotated[int, Meta(examples=[3600])]


# --- signing up
class SignUpFields(msgspec.Struct, frozen=True):
    """A sign-up as a client sent it. A field is None when it was absent or not a string."""

    username: str | None
    password: str | None
    email: str | None
    language: str


class WellFormed(msgspec.Struct, frozen=True):
    """A sign-up whose syntax is right: it costs a hash, and may send a mail."""

    username: str
    password: str
    email: str
    language: str

    @property
    def name_key(self) -> NameKey:
        """The name as it is compared."""
        return name_key(self.username)

    @property
    def email_key(self) -> EmailKey:
        """The address as it is compared."""
        return email_key(self.email)


class Malformed(msgspec.Struct, frozen=True):
    """A sign-up with errors of syntax. name_key, email_key: of the fields that are right by themselves, else None."""

    faults: tuple[SignUpFault, ...]
    name_key: NameKey | None
    email_key: EmailKey | None


def parse_sign_up(
    fields: SignUpFields, reserved: Sequence[str], is_guessable: Callable[..., bool]
) -> WellFormed | Malformed:
    """Judges the fields by themselves, in the order name, password, e-mail.

    reserved: names that nobody gets. is_guessable: see PasswordHasher.
    """
    username, password, email = fields.username, fields.password, fields.email
    own, faults = (username, email), list[SignUpFault]()
    if username is None or not is_name(username):
        faults.append("bad_name")
        username = None
    elif is_reserved(username, reserved):
        faults.append("reserved_name")
        username = None
    if password is None or not is_directory_password(password) or is_guessable(password, *own):
        faults.append("bad_password")
        password = None
    email = None if email is None else read_email(email)
    if email is None:
        faults.append("bad_email")
    if username is not None and password is not None and email is not None:
        return WellFormed(username, password, email, fields.language)
    return Malformed(
        tuple(faults),
        None if username is None else name_key(username),
        None if email is None else email_key(email),
    )


def is_name(text: str) -> bool:
    """5 to 21 ASCII letters and digits."""
    return _NAME.fullmatch(text) is not None


def is_reserved(name: str, reserved: Sequence[str]) -> bool:
    """Whether the name is one of `reserved`, in whatever case."""
    return name_key(name) in {name_key(word) for word in reserved}


# --- challenges and servers
def is_challenge(text: str) -> bool:
    """Whether the text may be a challenge. The protocol allows more than `new_challenge` makes."""
    return _CHALLENGE.fullmatch(text) is not None


def new_challenge(below62: Sequence[int]) -> str:
    """A challenge from CHALLENGE_LENGTH uniform numbers, 0 <= n < 62."""
    if len(below62) != CHALLENGE_LENGTH:
        raise ValueError(f"a challenge takes {CHALLENGE_LENGTH} numbers")
    return "".join(BASE62[number] for number in below62)


def least_used(servers: Sequence[str], users: Mapping[str, int]) -> str | None:
    """The server with fewest users, the first of equals; None, this host, when there is no list."""
    return min(servers, key=lambda server: users.get(server, 0), default=None)
