"""Responses as bytes.

There is no Server field, and Date comes last.
"""

import time
from collections.abc import Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

import msgspec

from regserver.endpoint import Response
from regserver.serving.limit import FrontLimits

BODILESS: Final = (204, 304)  # RFC 9110, 6.4.1; no 1xx ever comes from an endpoint

_REFUSALS: Final = {
    400: "BadRequest",
    403: "Forbidden",
    408: "RequestTimeout",
    413: "BodyTooLarge",
    414: "TargetTooLong",
    417: "ExpectationFailed",
    426: "UpgradeRequired",
    429: "TooManyConnections",
    431: "HeadTooLarge",
    500: "InternalError",
    501: "NotImplemented",
    503: "Unavailable",
    505: "VersionNotSupported",
}


class _StatusLines(dict[int, str]):
    """With the reason phrase: RFC 9112, 4 has clients ignore it, but some take an empty one for a failure."""

    def __missing__(self, status: int) -> str:
        return f"HTTP/1.1 {status} \r\n"


_STATUS_LINES: Final = _StatusLines(
    (status.value, f"HTTP/1.1 {status.value} {status.phrase}\r\n") for status in HTTPStatus
)

_HOP_FIELDS: Final = frozenset(("connection", "upgrade"))

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Clock:
    """The value of the Date field, formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._date = ""

    def date(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._date = formatdate(now, usegmt=True)
        return self._date


_clock = _Clock()


def current_date() -> str:
    """The value of the Date field (RFC 9110, 6.6.1)."""
    return _clock.date()


def response_fields(response: Response) -> Iterator[tuple[str, str]]:
    """The fields of a response in order, for HTTP/2 and ASGI, without Date and what only HTTP/1.1 has (RFC 9113, 8.2.2).

    A status without a body has no type and length.
    """
    yield from (field for field in response.headers if field[0] not in _HOP_FIELDS)
    if response.status not in BODILESS:
        yield "content-type", response.content_type
        yield "content-length", str(len(response.body))


def encode_response(response: Response, method: str, *, close: bool) -> bytes:
    """The whole response. method: of the request; HEAD gets no body. close: adds Connection: close."""
    head = encode_head(response, close=close)
    return head if method == "HEAD" or response.status in BODILESS else head + response.body


def encode_head(response: Response, *, close: bool) -> bytes:
    """The head of a whole response. close: adds Connection: close."""
    status = response.status
    text = _STATUS_LINES[status]
    for name, value in response.headers:
        text += f"{name}: {value}\r\n"
    if status not in BODILESS:
        text += f"content-type: {response.content_type}\r\ncontent-length: {len(response.body)}\r\n"
    text += f"date: {_clock.date()}\r\n"
    return f"{text}Connection: close\r\n\r\n".encode("latin-1") if close else f"{text}\r\n".encode("latin-1")


def encode_stream_head(response: Response, *, is_chunked: bool, close: bool) -> bytes:
    """The head of a response whose body follows, in chunks or up to the end of the connection. close: adds Connection: close."""
    lines = [_STATUS_LINES[response.status]]
    lines += [f"{name}: {value}\r\n" for name, value in response.headers]
    lines.append(f"content-type: {response.content_type}\r\n")
    if is_chunked:
        lines.append("transfer-encoding: chunked\r\n")
    lines.append(f"date: {_clock.date()}\r\n")
    lines.append("Connection: close\r\n\r\n" if close else "\r\n")
    return "".join(lines).encode("latin-1")


def refusal(status: int, limits: FrontLimits) -> Response:
    """The front door's own response to a request that reaches no endpoint."""
    headers = limits.refusal_fields()
    if status in (429, 503):
        headers += (("retry-after", "1"),)
    elif status == 426:
        headers += (("upgrade", "websocket"), ("sec-websocket-version", "13"))
    return Response(status=status, body=msgspec.json.encode({"error": _REFUSALS[status]}), headers=headers)
