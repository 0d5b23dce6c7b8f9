"""The head of an HTTP/2 request, with the rules and bounds of one of HTTP/1.1.

h2 has checked what RFC 9113, 8.2 and 8.3 call malformed, which ends the connection. What it lets pass and HTTP/1.1 cannot
carry is refused here, on its stream: a target or method that is not ASCII, a CONNECT that is no WebSocket, control characters.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from regserver.domain.address import is_host
from regserver.endpoint import Request
from regserver.serving.client_stream import ClientStream
from regserver.serving.head import HOP_FIELDS, LENGTH, METHOD, TARGET, BadHead, split_target
from regserver.serving.limit import FrontLimits

_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*+")
_LINE_BYTES: Final = 4  # ": " and the end of the line, which the same field has over HTTP/1.1


class Http2Head(msgspec.Struct, frozen=True):
    """A request head. fields: as in Head. length: announced, or -1. protocol: of an extended CONNECT (RFC 8441), else ""."""

    method: str
    path: str
    query: str
    fields: dict[str, str]
    length: int
    protocol: str
    expects_continue: bool


def parse_http2_head(block: Iterable[tuple[bytes, bytes]], limits: FrontLimits) -> Http2Head:
    """Parses the fields of a head, pseudo fields first. Raises BadHead (400, 414, 417, 431)."""
    block = list(block)
    pseudo = {name: value for name, value in block if name.startswith(b":")}
    size = sum(len(name) + len(value) + _LINE_BYTES for name, value in block)
    target = pseudo.get(b":path", b"")
    if len(target) > limits.target_bytes:
        raise BadHead(414, "target too long")
    if size > limits.head_bytes or len(block) - len(pseudo) > limits.header_count:
        raise BadHead(431, "head too long")
    method = pseudo[b":method"]
    if METHOD.fullmatch(method) is None or TARGET.fullmatch(target) is None:
        raise BadHead(400, "bad method or target")
    fields, length = _fields(block, pseudo.get(b":authority"))
    path, query = split_target(target.decode())
    expects_continue = _expects_continue(fields)
    protocol = pseudo.get(b":protocol", b"").decode("latin-1")
    for name in HOP_FIELDS.intersection(fields):
        del fields[name]
    return Http2Head(method.decode(), path, query, fields, length, protocol, expects_continue)


def _fields(block: list[tuple[bytes, bytes]], authority: bytes | None) -> tuple[dict[str, str], int]:
    fields: dict[str, str] = {}
    if authority is not None:
        fields["host"] = authority.decode("latin-1")
    for raw, value in block:
        if _VALUE.fullmatch(value) is None:
            raise BadHead(400, "bad field")
        name = raw.decode("latin-1")
        if name[:1] == ":" or (name == "host" and authority is not None):  # h2: the two are equal
            continue
        text = value.decode("latin-1").strip(" \t")
        # RFC 9113, 8.2.3: a cookie may come in crumbs.
        between = "; " if name == "cookie" else ", "
        fields[name] = f"{fields[name]}{between}{text}" if name in fields else text
    if not is_host(fields.get("host", "")):
        raise BadHead(400, "bad Host")
    announced = fields.get("content-length")
    if announced is not None and LENGTH.fullmatch(announced) is None:
        raise BadHead(400, "bad Content-Length")
    return fields, -1 if announced is None else int(announced)


def _expects_continue(fields: dict[str, str]) -> bool:
    expectation = fields.get("expect", "")
    if expectation and expectation.lower() != "100-continue":
        raise BadHead(417, "unknown expectation")
    return expectation != ""


def request_of(
    head: Http2Head, stream: ClientStream, body: bytes = b"", *, oversized: bool = False
) -> Request:
    """The Request of a head and its whole body. stream: of the connection."""
    return Request(
        method=head.method,
        path=head.path,
        query=head.query,
        headers=head.fields,
        body=body,
        oversized=oversized,
        peer=stream.peer,
        scheme=stream.scheme,
    )
