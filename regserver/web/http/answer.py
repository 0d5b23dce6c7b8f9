"""The answers of endpoints, and their conversion to responses.

    None                 204
    a JsonAnswer         its JSON, with the status and header fields of its type
    a Response           unchanged: scripts, streams, encoded replies
    a Refusal            in the error style of the route

The OpenAPI document is derived from the return types of endpoints. So every answer with a body has a type of its own, with
a docstring for its meaning and examples on its fields.

Each group of routes has its own error style, the form of a refusal's body. The header fields are the same in all styles.
"""

from abc import ABC, abstractmethod
from functools import cache
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from regserver import errors
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import (
    AccountNotFound,
    BadContentType,
    BadPasskey,
    InvitationRefused,
    MethodNotAllowed,
    NotApproved,
    Refusal,
    RouteNotFound,
    SecondFactorRequired,
    UpgradeRequired,
    UserIsDeleted,
)
from regserver.domain.sign_up_policy import BarReason
from regserver.endpoint import Response
from regserver.web.http.field import SecondsField, TimeField, UserIdField

HeaderFields = tuple[tuple[str, str], ...]
"""Header fields of a response, names in lower case."""

DEEPEST_HELP = 8
"""Segments of a path whose refusals say where they are explained; deeper ones are nobody's."""

UPGRADE_FIELDS: HeaderFields = (("upgrade", "websocket"), ("connection", "Upgrade"))
"""Fields of HTTP/1.1 alone; HTTP/2 has none of them (RFC 9113, 8.2.2)."""

_encode = msgspec.json.Encoder().encode
_NO_CONTENT = Response(status=204, content_type="")


class JsonAnswer(msgspec.Struct, frozen=True):
    """Base of JSON answers."""

    http_status: ClassVar[int] = 200

    def headers(self) -> HeaderFields:
        """Header fields in addition to those of every response."""
        return ()


Answer = JsonAnswer | Response | Refusal | None
"""The return type of endpoints."""


# --- refusals
@cache
def help_fields(name: str, depth: int) -> HeaderFields:
    """Where a refusal is explained (RFC 8288). depth: slashes in the path, since the address is relative to it.

    So it is right below whatever path a proxy or another app serves us.
    """
    if depth > DEEPEST_HELP:
        return ()
    return (("link", f'<{"../" * (depth - 1)}docs#{name}>; rel="help"'),)


class ErrorStyle(ABC):
    """The style of one group of routes. Every style has a body for every general refusal.

    name_field: the field of a body with the refusal's name; "" without such a field.
    """

    name_field: ClassVar[str] = ""

    @abstractmethod
    def body(self, refusal: Refusal) -> msgspec.Struct:
        """The body, encoded as JSON."""

    def status(self, refusal: Refusal) -> int:
        """The response's status."""
        return errors.STATUS[type(refusal)]

    def refuse(self, refusal: Refusal) -> Response:
        """The response of a refusal."""
        status, body = self.status(refusal), self.body(refusal)
        name = getattr(body, self.name_field) if self.name_field else type(refusal).__name__
        return Response(status=status, body=_encode(body), headers=_fields(refusal, status), help=name)


def _fields(refusal: Refusal, status: int) -> HeaderFields:
    """Retry-After, Allow, Accept-Encoding, Upgrade, WWW-Authenticate (RFC 9110, 10.2.3, 10.2.1, 12.5.3, 7.8, 11.6.1)."""
    if (seconds := getattr(refusal, "retry_after", None)) is not None and status in {429, 503}:
        return (("retry-after", str(max(1, seconds))),)
    if isinstance(refusal, MethodNotAllowed):
        return (("allow", ", ".join(refusal.methods)),)
    if isinstance(refusal, BadContentType):
        return (("accept-encoding", "identity"),) if refusal.is_coded else ()
    if isinstance(refusal, UpgradeRequired):
        return UPGRADE_FIELDS
    return (("www-authenticate", "Bearer"),) if status == 401 else ()


class Error(msgspec.Struct, frozen=True):
    """A refusal by its name."""

    error: str


class HintedError(Error, frozen=True):
    """A refusal by its name, and what has to be changed."""

    hint: str


class AccountError(Error, frozen=True, rename="camel"):
    """A refusal that concerns accounts; missingUsers: those of the request that are not there."""

    missing_users: Annotated[tuple[UserIdField, ...] | UnsetType, Meta(description="Ids of no account.")] = (
        UNSET
    )


class DeletedError(Error, frozen=True, rename="camel"):
    """The account was deleted; restorableUntil: until then `/login/restore` brings it back."""

    restorable_until: Annotated[TimeField | UnsetType, Meta(description="The end of the time of grace.")] = (
        UNSET
    )


class WaitingError(Error, frozen=True, rename="camel"):
    """The account waits. waitsFor: approval, by the operator, verification, of its address, or resumption, by the operator who has suspended it."""

    waits_for: Annotated[BarReason, Meta(description="What has to happen first.")]


class SecondFactorError(Error, frozen=True, rename="camel"):
    """The account has a second factor; the ticket is taken by `/login/factor` together with a code."""

    ticket: Annotated[str, Meta(description="Good for one sign-in, and for nothing else.")]
    expires_in: SecondsField


class RefusedInvitationError(Error, frozen=True, rename="camel"):
    """Accounts that cannot be brought into a room; refusedUsers: those of the request."""

    refused_users: Annotated[tuple[UserIdField, ...], Meta(description="Ids that the request named.")]


class NamedStyle(ErrorStyle):
    """`{"error": "Name"}`: for sign-in, live registration, rooms, and paths without a route."""

    name_field = "error"

    def refuse(self, refusal: Refusal) -> Response:
        """See ErrorStyle. Another method on a known path is an unknown route here."""
        return super().refuse(RouteNotFound() if isinstance(refusal, MethodNotAllowed) else refusal)

    def body(self, refusal: Refusal) -> Error:
        """The refusal's name, with the missing accounts for AccountNotFound."""
        name = errors.name(refusal)
        if isinstance(refusal, AccountNotFound):
            return AccountError(name, refusal.missing or UNSET)
        if isinstance(refusal, InvitationRefused):
            return RefusedInvitationError(name, refusal.refused)
        if isinstance(refusal, SecondFactorRequired):
            return SecondFactorError(name, refusal.ticket, refusal.expires_in)
        if isinstance(refusal, NotApproved):
            return WaitingError(name, refusal.waits_for)
        if isinstance(refusal, BadPasskey):
            return HintedError(name, refusal.why)
        if isinstance(refusal, UserIsDeleted):
            until = refusal.restorable_until
            return DeletedError(name, UNSET if until is None else iso_seconds(until))
        return HintedError(name, refusal.hint) if refusal.hint else Error(name)


NAMED = NamedStyle()


def respond(answer: Answer, style: ErrorStyle) -> Response:
    """The response of an answer. style: of the route."""
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, JsonAnswer):
        return Response(status=answer.http_status, body=_encode(answer), headers=answer.headers())
    return _NO_CONTENT if answer is None else style.refuse(answer)
