"""Refusals, as values; `regserver.errors` has their statuses. Exceptions are bugs and broken infrastructure."""

from typing import Annotated, ClassVar, Self, get_type_hints

import msgspec
from msgspec import Meta

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.sign_up_policy import BarReason


class Refusal(msgspec.Struct, frozen=True):
    """Base of all expected failures. The docstring of each says in the documents what it means to a client.

    hint: what has to be changed, where the fault is one of a configuration; answers have it beside the name.
    wire_name: its name in answers; "" for that of the type.
    """

    wire_name: ClassVar[str] = ""

    hint: ClassVar[str] = ""

    @classmethod
    def example(cls) -> Self:
        """One of them, for documents and tests, with the examples that its fields are annotated with."""
        hints = get_type_hints(cls, include_extras=True)
        metas = ((name, meta) for name, hint in hints.items() for meta in getattr(hint, "__metadata__", ()))
        return cls(**{name: meta.examples[0] for name, meta in metas})


# --- the request itself
class BadJson(Refusal, frozen=True):
    """The body is not what the route takes: not JSON, not an object, or a field of the wrong type."""


class BadContentType(Refusal, frozen=True):
    """The body is declared to be something that the route does not read, or has a Content-Encoding (is_coded)."""

    is_coded: bool = False


class BodyTooLarge(Refusal, frozen=True):
    """The body is longer than the server takes, 64 KiB unless it is configured otherwise."""


class TooManyRequests(Refusal, frozen=True):
    """The route's rate limit is spent. retry_after: whole seconds, at least 1."""

    retry_after: Annotated[int, Meta(examples=[30])]


class MethodNotAllowed(Refusal, frozen=True):
    """The path is known, the method is none of its `methods`."""

    methods: tuple[str, ...]


class UpgradeRequired(Refusal, frozen=True):
    """The address is that of a WebSocket, and the request asks for none."""

    hint = "This is the address of a WebSocket. A proxy in between must pass Upgrade and Connection on."


class ForeignOrigin(Refusal, frozen=True):
    """The request comes from a page of another site, which may not change anything here."""

    hint = "server.cors_origins must name the page's origin, or server.public_url, where it is the server's own page."


class OperatorsOnly(Refusal, frozen=True):
    """Only for the operator: from loopback, from operations.networks, or with the bearer of operations.bearer."""


class RouteNotFound(Refusal, frozen=True):
    """No such route, or not with this method."""


class InternalError(Refusal, frozen=True):
    """A fault of the server."""


class StoreUnavailable(Refusal, frozen=True):
    """The store cannot answer now. retry_after: whole seconds, at least 1."""

    retry_after: int = 5


class ServerBusy(Refusal, frozen=True):
    """Too many passwords are being checked. retry_after: whole seconds, at least 1."""

    retry_after: Annotated[int, Meta(examples=[2])]


# --- who is asking
class MissingAuth(Refusal, frozen=True):
    """No Authorization header."""


class BadAuthType(Refusal, frozen=True):
    """An Authorization header that is not a bearer token."""


class BadToken(Refusal, frozen=True):
    """Unknown, expired or revoked."""


class MissingToken(Refusal, frozen=True):
    """A WebSocket without any credential."""


class TooManySockets(Refusal, frozen=True):
    """The account has as many WebSockets as it may have."""


class UserIsDeleted(Refusal, frozen=True, kw_only=True):
    """The account was deleted. restorable_until: told to whoever has its right password, while it can be restored."""

    restorable_until: Annotated[Instant | None, Meta(examples=[1_600_000_000_000])] = None


class NotApproved(Refusal, frozen=True, kw_only=True):
    """The account waits: until the operator approves it, its address is verified, or the operator ends its suspension. Nobody else
    is told.
    """

    waits_for: Annotated[BarReason, Meta(examples=["approval"])] = "approval"


# --- sign-in
class BadCredentials(Refusal, frozen=True):
    """Unknown user or wrong password: deliberately one answer."""


class PasswordAtSource(Refusal, frozen=True):
    """The account's password is the data source's, and is changed there."""


class RecentSignInRequired(Refusal, frozen=True):
    """The account has no password to be asked for: sign in again, and repeat the request within 15 minutes.

    A named token is no sign-in.
    """


class SourceUnavailable(Refusal, frozen=True):
    """The source of live registrations is down, slow or full. retry_after: whole seconds, at least 1."""

    retry_after: int = 5


class RegistrationNotFound(Refusal, frozen=True):
    """No live registration has this id, or it ended too long ago to be watched."""


class SecondFactorRequired(Refusal, frozen=True, kw_only=True):
    """The password is right, and the account has a second factor: `/login/factor` takes the ticket and a code.

    expires_in: seconds for which the ticket is good.
    """

    ticket: Annotated[str, Meta(examples=["regf_0123abcd"])]
    expires_in: Annotated[int, Meta(examples=[300])]

    def __repr__(self) -> str:
        return "SecondFactorRequired(…)"


class BadCode(Refusal, frozen=True):
    """Wrong, expired, or used before."""


class BadPasskey(Refusal, frozen=True):
    """The passkey, or the answer of its authenticator, is not good for this. why: what is wrong, for the client's developer."""

    why: Annotated[str, Meta(examples=["The challenge is older than 5 minutes."])] = ""


class PasskeyRefused(BadPasskey, frozen=True):
    """The passkey, or the answer of its authenticator, signs nobody in."""

    wire_name = "BadPasskey"


class PasskeyNotFound(Refusal, frozen=True):
    """The account has no such passkey."""


class FactorExists(Refusal, frozen=True):
    """The account has this factor already; it has to be removed first."""


# --- sign-up at the rooms door
class BadEmail(Refusal, frozen=True):
    """Not an address that mail can be sent to."""


class BadPhone(Refusal, frozen=True):
    """Not a phone number that a country can have."""


class BadUsername(Refusal, frozen=True):
    """Not a user name of this door."""


class BadPassword(Refusal, frozen=True):
    """Not a password of this door."""


class BadCaptcha(Refusal, frozen=True):
    """This door demands a captcha, and its answer is missing, wrong, used or too late; or its service did not answer."""


class UsernameTaken(Refusal, frozen=True):
    """Taken or reserved, at whatever door."""


class EmailTaken(Refusal, frozen=True):
    """Another account has this address."""


class BadLink(Refusal, frozen=True):
    """The link was used, has expired, or is about an address that the account no longer has."""


class BadRecovery(Refusal, frozen=True):
    """The recovery link was used, has expired, or something of the account has changed since."""


class EmailNotVerified(Refusal, frozen=True):
    """The account has to verify its e-mail address first."""


class RegistrationClosed(Refusal, frozen=True):
    """The operator does not take sign-ups."""


class InvitationRequired(Refusal, frozen=True):
    """Sign-ups need an invitation here, and there is none that is good: unknown, used up, expired, or of another address."""


class AccountNotFound(Refusal, frozen=True):
    """No such account, or deleted. missing: the ids that were asked for and are not there."""

    missing: Annotated[tuple[AccountId, ...], Meta(examples=[(AccountId(99),)])] = ()


# --- sessions
class SessionNotFound(Refusal, frozen=True):
    """The account has no such session; it may have ended already."""


class BadTokenName(Refusal, frozen=True):
    """Not a name for a token: 1 to 64 characters that can be seen."""


class BadExpiresIn(Refusal, frozen=True):
    """Not a life that a token may have: whole seconds, up to the longest that the operator allows."""


class TooManyTokens(Refusal, frozen=True):
    """The account has as many named tokens as it may have."""


class NamedTokenRefused(Refusal, frozen=True):
    """A named token makes no further tokens; sign in for it."""


# --- rooms
class BadId(Refusal, frozen=True):
    """Not an id."""


class BadOtherUsers(Refusal, frozen=True):
    """Not a list of users, or an empty one where a user must be named."""


class BadRoomName(Refusal, frozen=True):
    """Not a room name."""


class TooManyUsers(Refusal, frozen=True):
    """The room would have more members than the operator allows."""


class InvitationRefused(Refusal, frozen=True):
    """Some accounts cannot be brought in by the asker: they do not want to, or were brought in often enough today."""

    refused: tuple[AccountId, ...] = ()


class QuotaExceeded(Refusal, frozen=True):
    """The account's allowance of today is used up. retry_after: whole seconds, at least 1."""

    retry_after: Annotated[int, Meta(examples=[3600])]


class TooManyBlocks(Refusal, frozen=True):
    """The account keeps too many others out already."""


class RoomNotFound(Refusal, frozen=True):
    """No such room."""


class NotInRoom(Refusal, frozen=True):
    """The asker is not a member."""


class BadPostContent(Refusal, frozen=True):
    """Absent, empty, not a string, or too long."""


class NotYourPost(Refusal, frozen=True):
    """Somebody else wrote the post."""


class BadSearch(Refusal, frozen=True):
    """`q` is absent, empty or too long."""


class NotRoomOwner(Refusal, frozen=True):
    """The room is somebody else's."""


class PostNotFound(Refusal, frozen=True):
    """No such post."""


class BadSubscription(Refusal, frozen=True):
    """Not a subscription to Web Push: its endpoint has to be an https address on the Internet, its keys those of RFC 8291."""


class SubscriptionNotFound(Refusal, frozen=True):
    """The account has no such subscription; it may have ended already."""


class BadCursor(Refusal, frozen=True):
    """Not a cursor that we gave out."""


# --- repeated requests
class BadIdempotencyKey(Refusal, frozen=True):
    """Empty, too long, or with characters that are not visible ASCII."""


class IdempotencyConflict(Refusal, frozen=True):
    """The key was used before, for another request."""
