"""Building responses, and the style of the doors whose errors are names."""

from typing import Any

import msgspec

from regserver import errors
from regserver.domain.outcome import (
    AccountNotFound,
    MethodNotAllowed,
    Refusal,
    RouteNotFound,
    SourceUnavailable,
    TooManyRequests,
)
from regserver.endpoint import Response

_encode = msgspec.json.Encoder().encode

NO_CONTENT = Response(status=204, content_type="")


HeaderFields = tuple[tuple[str, str], ...]
"""Header fields of a response, names in lower case."""


def json(value: Any, status: int = 200, headers: HeaderFields = ()) -> Response:
    """A response with the JSON of a Struct, or of what JSON has of its own."""
    return Response(status=status, body=_encode(value), headers=headers)


def refusal_fields(refusal: Refusal) -> HeaderFields:
    """The fields that explain a refusal: Retry-After and Allow (RFC 9110, sections 10.2.3 and 10.2.1)."""
    if isinstance(refusal, TooManyRequests | SourceUnavailable):
        return (("retry-after", str(max(1, refusal.retry_after))),)
    if isinstance(refusal, MethodNotAllowed):
        return (("allow", ", ".join(refusal.methods)),)
    return ()


class NamedStyle:
    """`{"error": "Name"}`: sign-in, live registration, rooms, and what belongs to no door."""

    def refuse(self, refusal: Refusal) -> Response:
        """See ErrorStyle. Another method on a known path is an unknown route here."""
        if isinstance(refusal, MethodNotAllowed):
            refusal = RouteNotFound()
        body: dict[str, Any] = {"error": errors.name(refusal)}
        if isinstance(refusal, AccountNotFound) and refusal.missing:
            body["missingUsers"] = refusal.missing
        headers = refusal_fields(refusal)
        if errors.STATUS[type(refusal)] == 401:
            headers += (("www-authenticate", "Bearer"),)
        return json(body, errors.STATUS[type(refusal)], headers)


NAMED = NamedStyle()
