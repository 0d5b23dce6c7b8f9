"""The refusals of sign-in, accounts and rooms: one class for each name on the wire, and what more is known.

except client.UsernameTaken: ...        one of them
except client.Refused as refusal: ...   any; refusal.name, refusal.status, refusal.retry_after
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regserver.client.fault import ClientFault


class Refused(ClientFault):
    """The server's no. name: as on the wire. status: of HTTP. retry_after: seconds, where it says so. fields: the whole body."""

    def __init__(self, name: str, status: int, retry_after: int | None, fields: Mapping[str, Any]) -> None:
        hint = fields.get("hint")
        super().__init__(f"{name} ({status})" + (f": {hint}" if hint else ""))
        self.name = name
        self.status = status
        self.retry_after = retry_after
        self.fields = fields


class BadJson(Refused):
    """The body is not what the route takes: not JSON, not an object, or a field of the wrong type."""


class BadContentType(Refused):
    """The body is declared to be something that the route does not read, or has a Content-Encoding."""


class BodyTooLarge(Refused):
    """The body is longer than the server takes, 64 KiB unless it is configured otherwise."""


class TooManyRequests(Refused):
    """The route's rate limit is spent."""


class RouteNotFound(Refused):
    """No such route, or not with this method."""


class UpgradeRequired(Refused):
    """The address is that of a WebSocket, and the request asks for none."""


class ForeignOrigin(Refused):
    """The request comes from a page of another site, which may not change anything here."""


class OperatorsOnly(Refused):
    """Only for the operator: from loopback, from operations.networks, or with the bearer of operations.bearer."""


class InternalError(Refused):
    """A fault of the server."""


class StoreUnavailable(Refused):
    """The store cannot answer now."""


class ServerBusy(Refused):
    """Too many passwords are being checked."""


class MissingAuth(Refused):
    """No Authorization header."""


class BadAuthType(Refused):
    """An Authorization header that is not a bearer token."""


class BadToken(Refused):
    """Unknown, expired or revoked."""


class MissingToken(Refused):
    """A WebSocket without any credential."""


class TooManySockets(Refused):
    """The account has as many WebSockets as it may have."""


class UserIsDeleted(Refused):
    """The account was deleted."""

    @property
    def restorable_until(self) -> datetime | None:
        """Until then `restore` brings it back; None where that is not told."""
        until = self.fields.get("restorableUntil")
        return None if until is None else datetime.fromisoformat(until)


class NotApproved(Refused):
    """The account waits: until the operator approves it, its address is verified, or the operator ends its suspension. Nobody else
    is told.
    """

    @property
    def waits_for(self) -> str:
        """`approval` by the operator, `verification` of the address, or `resumption` by the operator."""
        return str(self.fields["waitsFor"])


class BadCredentials(Refused):
    """Unknown user or wrong password: deliberately one answer."""


class PasswordAtSource(Refused):
    """The account's password is the data source's, and is changed there."""


class RecentSignInRequired(Refused):
    """The account has no password to be asked for: sign in again, and repeat the request within 15 minutes."""


class SecondFactorRequired(Refused):
    """The password is right, and the account has a second factor: `/login/factor` takes the ticket and a code."""

    @property
    def ticket(self) -> str:
        """For `finish_sign_in`, beside a code."""
        return str(self.fields["ticket"])


class BadCode(Refused):
    """Wrong, expired, or used before."""


class FactorExists(Refused):
    """The account has this factor already; it has to be removed first."""


class BadPasskey(Refused):
    """The passkey, or the answer of its authenticator, is not good for this."""


class PasskeyNotFound(Refused):
    """The account has no such passkey."""


class SourceUnavailable(Refused):
    """The source of live registrations is down, slow or full."""


class RegistrationNotFound(Refused):
    """No live registration has this id, or it ended too long ago to be watched."""


class BadEmail(Refused):
    """Not an address that mail can be sent to."""


class BadPhone(Refused):
    """Not a phone number that a country can have."""


class BadUsername(Refused):
    """Not a user name of this door."""


class BadPassword(Refused):
    """Not a password of this door."""


class BadCaptcha(Refused):
    """This door demands a captcha, and its answer is missing, wrong, used or too late; or its service did not answer."""


class UsernameTaken(Refused):
    """Taken or reserved, at whatever door."""


class EmailTaken(Refused):
    """Another account has this address."""


class BadLink(Refused):
    """The link was used, has expired, or is about an address that the account no longer has."""


class BadRecovery(Refused):
    """The recovery link was used, has expired, or something of the account has changed since."""


class EmailNotVerified(Refused):
    """The account has to verify its e-mail address first."""


class RegistrationClosed(Refused):
    """The operator does not take sign-ups."""


class InvitationRequired(Refused):
    """Sign-ups need an invitation here, and there is none that is good: unknown, used up, expired, or of another address."""


class AccountNotFound(Refused):
    """No such account, or deleted."""

    @property
    def missing(self) -> tuple[int, ...]:
        """Those of the request that are not there."""
        return tuple(self.fields.get("missingUsers", ()))


class SessionNotFound(Refused):
    """The account has no such session; it may have ended already."""


class BadTokenName(Refused):
    """Not a name for a token: 1 to 64 characters that can be seen."""


class BadExpiresIn(Refused):
    """Not a life that a token may have: whole seconds, up to the longest that the operator allows."""


class TooManyTokens(Refused):
    """The account has as many named tokens as it may have."""


class NamedTokenRefused(Refused):
    """A named token makes no further tokens; sign in for it."""


class BadId(Refused):
    """Not an id."""


class BadOtherUsers(Refused):
    """Not a list of users, or an empty one where a user must be named."""


class BadRoomName(Refused):
    """Not a room name."""


class TooManyUsers(Refused):
    """The room would have more members than the operator allows."""


class InvitationRefused(Refused):
    """Some accounts cannot be brought in by the asker: they do not want to, or were brought in often enough today."""

    @property
    def refused(self) -> tuple[int, ...]:
        """Those of the request that it is about."""
        return tuple(self.fields.get("refusedUsers", ()))


class QuotaExceeded(Refused):
    """The account's allowance of today is used up."""


class TooManyBlocks(Refused):
    """The account keeps too many others out already."""


class RoomNotFound(Refused):
    """No such room."""


class NotInRoom(Refused):
    """The asker is not a member."""


class BadPostContent(Refused):
    """Absent, empty, not a string, or too long."""


class NotYourPost(Refused):
    """Somebody else wrote the post."""


class BadSearch(Refused):
    """`q` is absent, empty or too long."""


class NotRoomOwner(Refused):
    """The room is somebody else's."""


class PostNotFound(Refused):
    """No such post."""


class BadCursor(Refused):
    """Not a cursor that we gave out."""


class BadIdempotencyKey(Refused):
    """Empty, too long, or with characters that are not visible ASCII."""


class IdempotencyConflict(Refused):
    """The key was used before, for another request."""


class BadSubscription(Refused):
    """Not a subscription to Web Push."""


class SubscriptionNotFound(Refused):
    """The account has no such subscription; it may have ended already."""


REFUSALS: Mapping[str, type[Refused]] = {kind.__name__: kind for kind in Refused.__subclasses__()}
"""By their names on the wire."""


def refused(name: str, status: int, retry_after: int | None, fields: Mapping[str, Any]) -> Refused:
    """The exception of a refusal; of an unknown name, Refused itself."""
    return REFUSALS.get(name, Refused)(name, status, retry_after, fields)
