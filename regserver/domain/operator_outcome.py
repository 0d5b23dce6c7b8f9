"""Refusals of what operators ask for; `regserver.errors` has their statuses."""

from regserver.domain.outcome import Refusal


class NotPermitted(Refusal, frozen=True):
    """The key's role does not go so far."""


class BadKeyName(Refusal, frozen=True):
    """A key's name is 1 to 40 lower-case letters, digits, dots, underscores or hyphens, with a letter or digit at both ends."""


class BadRole(Refusal, frozen=True):
    """The role is admin, support, publish or read."""


class KeyNameTaken(Refusal, frozen=True):
    """Another key has the name."""


class KeyNotFound(Refusal, frozen=True):
    """No key has the name."""


class TooManyKeys(Refusal, frozen=True):
    """There are as many keys as there may be; revoke those that nobody needs."""
