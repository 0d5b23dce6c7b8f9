"""People who are brought along from other software: what a line of the file says, and what may become of it."""

from typing import NewType

import msgspec

from regserver.domain.account import AccountId, is_sign_in_name, name_key

ImportKey = NewType("ImportKey", str)
"""By which a person is known again when the same file is read once more."""

MAX_ID_LENGTH = 256
MAX_NAME_LENGTH = 64
"""Of an imported user name; the longest that any door takes is shorter."""


class AdoptedHash(msgspec.Struct, frozen=True):
    """A password hash of other software that this server can compare, as it is stored."""

    encoded: str

    def __repr__(self) -> str:
        return "AdoptedHash(…)"


class UnusableHash(msgspec.Struct, frozen=True):
    """One that it cannot, or at too high a cost. reason: for the operator, without the hash."""

    reason: str


class ImportedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One line. id: of the person in the other software; "" where it gives none. password_hash: "" for no password."""

    username: str
    id: str = ""
    email: str = ""
    email_verified: bool = False
    password_hash: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""

    def __repr__(self) -> str:
        return "ImportedPerson(…)"

    @property
    def key(self) -> ImportKey:
        """The id where there is one, so that somebody who was renamed there meanwhile is not brought along twice."""
        return ImportKey(f"id:{self.id}" if self.id else f"name:{name_key(self.username)}")


class ImportRow(msgspec.Struct, frozen=True):
    """A line of the file by its number, from 1. person: or why it tells of none."""

    line: int
    person: ImportedPerson | str


class ImportRefusal(msgspec.Struct, frozen=True):
    """A line that no account was made of."""

    line: int
    reason: str


class PersonAdded(msgspec.Struct, frozen=True):
    """An account was made of the line, or would be."""

    account: AccountId


class PersonKnown(msgspec.Struct, frozen=True):
    """An earlier run has made an account of it."""


def name_fault(person: ImportedPerson) -> str | None:
    """Why nobody can have this id and user name; None when they can."""
    name = person.username
    if len(person.id) > MAX_ID_LENGTH or not person.id.isprintable():
        return f"id: expected at most {MAX_ID_LENGTH} printable characters"
    if not name:
        return "username is missing"
    if not is_display_name(name) and "@" not in name:
        return f"username: expected at most {MAX_NAME_LENGTH} visible characters"
    if "@" in name:
        return "username: it may not be an e-mail address, by which people sign in once it is verified"
    return None


def is_display_name(name: str) -> bool:
    """Whether a name of no door's own rule may be somebody's: visible, without an at sign, at most MAX_NAME_LENGTH characters."""
    seen = is_sign_in_name(name) and len(name) <= MAX_NAME_LENGTH
    return seen and name == name.strip() and name.isprintable() and "@" not in name
