"""Operator keys: whoever has one may run the server, as far as its role goes.

The table says which role may do what. A key is a secret of the server's making; only its hash is kept.
"""

import enum
import re
from collections.abc import Mapping
from typing import Literal, NewType, get_args

import msgspec

from regserver.domain.instant import HOUR, Duration, Instant

KeyId = NewType("KeyId", int)
Role = Literal["admin", "support", "publish", "read"]
ROLES: tuple[Role, ...] = get_args(Role)
MOST_KEYS = 200
ENTRY_LIFE = Duration(HOUR)
"""Of a session at the page, and of the link of the first start."""
MOST_ENTRIES = 10
"""Sessions of one key at the page; a further one ends the oldest."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?", re.ASCII)


class Operation(enum.Enum):
    """What an operator can do, as permissions know it."""

    READ_USERS = "list and show accounts, their sessions and rooms"
    HELP_USERS = "make a reset link, rename, approve, suspend, resume, restore, end sessions"
    CHANGE_USERS = "create and delete accounts, set passwords"
    READ_INVITATIONS = "list invitations"
    CHANGE_INVITATIONS = "make and revoke invitations"
    READ_ROOMS = "list and show rooms and their members"
    CHANGE_ROOMS = "remove posts and members, close rooms"
    READ_KEYS = "list operator keys"
    CHANGE_KEYS = "make and revoke operator keys"
    READ_AUDIT = "read and verify the audit"
    READ_MAIL = "list waiting mail"
    CHANGE_MAIL = "send mail again, send a message for trying"
    READ_STEPS = "list and show registrations by steps"
    CHANGE_STEPS = "unlock a registration by steps"
    READ_SERVER = "see health, limits and running registrations"
    READ_WEBHOOKS = "list webhooks"
    CHANGE_WEBHOOKS = "add, test, disable, enable, replay and remove webhooks"
    CHANGE_LIMITS = "let clients and accounts go on that have reached a limit"
    CHANGE_SETTINGS = "reload the settings"
    PUBLISH = "post to rooms in a service's name, create and fill them"


_READING = frozenset(operation for operation in Operation if operation.name.startswith("READ_"))
_HELPING = frozenset(
    {
        Operation.HELP_USERS,
        Operation.CHANGE_INVITATIONS,
        Operation.CHANGE_ROOMS,
        Operation.CHANGE_MAIL,
        Operation.CHANGE_STEPS,
        Operation.CHANGE_LIMITS,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Operation]] = {
    "admin": frozenset(Operation),
    "support": (_READING - {Operation.READ_KEYS}) | _HELPING,
    "publish": frozenset({Operation.PUBLISH}),
    "read": _READING - {Operation.READ_KEYS},
}
"""What each role may do."""


class StoredKey(msgspec.Struct, frozen=True):
    """A key without its secret."""

    id: KeyId
    name: str
    role: Role
    created_at: Instant

    def may(self, operation: Operation) -> bool:
        """Whether its role goes so far."""
        return operation in PERMISSIONS[self.role]


def is_key_name(name: str) -> bool:
    """1 to 40 lower-case letters, digits, dots, underscores or hyphens, beginning and ending with a letter or digit."""
    return _NAME.fullmatch(name) is not None
