"""Building responses, and the style of the doors whose errors are names."""

from typing import Any

import msgspec

from regserver import errors
from regserver.domain.outcome import AccountNotFound, Refusal, SourceUnavailable, TooManyRequests
from regserver.endpoint import Response

_encode = msgspec.json.Encoder().encode

NO_CONTENT = Response(status=204, content_type="")


def json(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status=status, body=_encode(value), headers=headers)


def retry_after(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """The Retry-After field of refusals that carry one (RFC 9110, section 10.2.3)."""
    if isinstance(refusal, TooManyRequests | SourceUnavailable):
        return (("retry-after", str(max(1, refusal.retry_after))),)
    return ()


class NamedStyle:
    """`{"error": "Name"}`: sign-in, live registration, rooms, and what belongs to no door."""

    def refuse(self, refusal: Refusal) -> Response:
        body: dict[str, Any] = {"error": errors.name(refusal)}
        if isinstance(refusal, AccountNotFound) and refusal.missing:
            body["missingUsers"] = refusal.missing
        headers = retry_after(refusal)
        if errors.STATUS[type(refusal)] == 401:
            headers += (("www-authenticate", "Bearer"),)
        return json(body, errors.STATUS[type(refusal)], headers)


NAMED = NamedStyle()
