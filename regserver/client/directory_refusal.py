"""The refusals of the directory: one class for each id."""

from collections.abc import Mapping
from typing import Any, ClassVar

from regserver.client.fault import ClientFault


class DirectoryRefused(ClientFault):
    """`{message, detail, id}`. status: of HTTP. retry_after: seconds, where it says so."""

    wire_id: ClassVar[str] = ""

    def __init__(self, status: int, retry_after: int | None, fields: Mapping[str, Any]) -> None:
        self.id = str(fields.get("id", ""))
        self.message = str(fields.get("message", ""))
        self.detail = str(fields.get("detail", ""))
        super().__init__(f"{self.id} ({status}): {self.message}")
        self.status = status
        self.retry_after = retry_after
        self.fields = fields


class InvalidData(DirectoryRefused):
    """A sign-up with faults; each has an exception of its own in `faults`."""

    wire_id = "INVALID_DATA"

    @property
    def faults(self) -> tuple[DirectoryRefused, ...]:
        """All of them, in the server's order."""
        return tuple(directory_refused(self.status, None, fault) for fault in self.fields["errors"])


class InvalidUserName(DirectoryRefused):
    """Not a name of this door."""

    wire_id = "INVALID_USER_NAME"


class ReservedUserName(DirectoryRefused):
    """The operator keeps this name."""

    wire_id = "RESERVED_USER_NAME"


class ExistingUserName(DirectoryRefused):
    """Somebody has this name."""

    wire_id = "EXISTING_USER_NAME"


class InvalidPassword(DirectoryRefused):
    """Not a password of this door."""

    wire_id = "INVALID_PASSWORD"


class InvalidEmail(DirectoryRefused):
    """Not an address."""

    wire_id = "INVALID_EMAIL"


class ExistingEmail(DirectoryRefused):
    """Another account has this address."""

    wire_id = "EXISTING_EMAIL"


class UnknownUserName(DirectoryRefused):
    """No user has this name. The id is spelt as on the wire."""

    wire_id = "UNKOWN_USER_NAME"


class InvalidChallenge(DirectoryRefused):
    """Not the text of a challenge."""

    wire_id = "INVALID_CHALLENGE"


class NoPendingCreation(DirectoryRefused):
    """Unknown, or not confirmed in time."""

    wire_id = "NO_PENDING_CREATION"


class AlreadyConfirmed(DirectoryRefused):
    """The name belongs to an account by now."""

    wire_id = "ALREADY_CONFIRMED"

    @property
    def server(self) -> str | None:
        """The host that the account lives on; one may proceed to it."""
        return self.fields.get("server")


class DirectoryClosed(DirectoryRefused):
    """The operator does not take sign-ups at this door."""

    wire_id = "REGISTRATION_CLOSED"


class DirectoryNotInvited(DirectoryRefused):
    """Sign-ups need an invitation here."""

    wire_id = "INVITATION_REQUIRED"


class DirectoryLimited(DirectoryRefused):
    """Too many requests, or too many sign-ups wait."""

    wire_id = "TOO_MANY_REQUESTS"


DIRECTORY_REFUSALS: Mapping[str, type[DirectoryRefused]] = {
    kind.wire_id: kind for kind in DirectoryRefused.__subclasses__()
}
"""By their ids on the wire."""


def directory_refused(status: int, retry_after: int | None, fields: Mapping[str, Any]) -> DirectoryRefused:
    """The exception of a refusal; of a rarer id, DirectoryRefused itself."""
    kind = DIRECTORY_REFUSALS.get(str(fields.get("id")), DirectoryRefused)
    return kind(status, retry_after, fields)
