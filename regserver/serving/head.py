"""The head of an HTTP/1.1 request, parsed as strictly as RFC 9112 allows.

Request smuggling needs two parsers that read one message differently. So no other parser of HTTP/1.1 sees a client's
bytes. tests/serving/test_head_against_h11.py compares it with h11: it accepts nothing that h11 refuses, and the test lists
where it is stricter.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from regserver.domain.address import is_host
from regserver.serving.limit import FrontLimits

END: Final = b"\r\n\r\n"
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""The first bytes of a client that speaks HTTP/2 without ALPN (RFC 9113, 3.4)."""
PREFACE_HEAD: Final = PREFACE[:-6]
"""What of it looks like a head."""

_LINE = re.compile(r"([A-Z][A-Z0-9_-]{0,31}) ([\x21-\x7e]++) HTTP/([0-9])\.([0-9])\r\n")
METHOD: Final = re.compile(rb"[A-Z][A-Z0-9_-]{0,31}")
TARGET: Final = re.compile(rb"/[\x21\x22\x24-\x7e]*+")
"""The origin-form of a target (RFC 9112, 3.2.1), in printable ASCII and without a fragment."""
# The absolute-form (RFC 9112, 3.2.2): authority, then path and query.
_ABSOLUTE = re.compile(r"(?i:https?)://([^/?#]++)([/?][\x21\x22\x24-\x7e]*+)?", re.ASCII)
# One field per match; possessive, so that a long hostile value costs linear time (RFC 9112, 5; RFC 9110, 5.5).
_FIELDS = re.compile(
    r"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[ \t]*+(?:[\x21-\x7e\x80-\xff]++[ \t]*+)*+\r\n)*+",
)
LENGTH: Final = re.compile(r"[0-9]{1,15}")

# Fields of the hop, which no endpoint sees (RFC 9110, 7.6.1). The length is one of them, since there may be none over
# HTTP/2 or in chunks; an endpoint has the body itself.
HOP_FIELDS: Final = frozenset(
    ("connection", "content-length", "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade"),
)  # fmt: skip
_ONCE: Final = ("content-length", "host", "transfer-encoding")


class BadHead(Exception):
    """The request is malformed or not supported. status: of the answer, after which the connection ends."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Head(msgspec.Struct, frozen=True):
    """A request head with unambiguous framing.

    fields: end-to-end fields, names in lower case, repeated ones joined with ", "; latin-1.
    length: announced body length; -1 for a chunked body. minor_version: 1 for HTTP/1.1, 0 for HTTP/1.0.
    close: the connection ends with the response. upgrade: the Upgrade field if Connection names it, else "".
    """

    method: str
    target: str
    path: str
    query: str
    fields: dict[str, str]
    length: int
    close: bool
    expects_continue: bool
    upgrade: str
    minor_version: int


def find_end(buffer: bytes, limits: FrontLimits) -> int:
    """The length of the head in the buffer, including its empty line; 0 when bytes are missing.

    Raises BadHead as soon as no further bytes can make it a valid head.
    """
    end = buffer.find(END)
    if end < 0:
        _check_partial(buffer, limits)
        return 0
    if end + len(END) > limits.head_bytes:
        raise BadHead(_too_long(buffer, limits), "head too long")
    return end + len(END)


def _check_partial(buffer: bytes, limits: FrontLimits) -> None:
    if buffer and not (65 <= buffer[0] <= 90 or buffer[0] in b"\r\n"):
        raise BadHead(400, "no request line")
    if len(buffer) >= limits.head_bytes:
        raise BadHead(_too_long(buffer, limits), "head too long")
    if buffer.count(b"\n") != buffer.count(b"\r\n"):
        raise BadHead(400, "bare LF")


def _too_long(buffer: bytes, limits: FrontLimits) -> int:
    line = buffer.find(b"\r\n")
    return 414 if line < 0 or line > limits.target_bytes else 431


def parse_head(head: bytes, limits: FrontLimits) -> Head:
    """Parses one whole head, including its empty line. Raises BadHead (400, 414, 417, 431, 501, 505)."""
    text = head.decode("latin-1")
    line = _LINE.match(text)
    if line is None:
        raise BadHead(400, "bad request line")
    method, target, major, minor = line.groups()
    if major != "1" or minor not in "01":
        raise BadHead(505, "not HTTP/1")
    if len(target) > limits.target_bytes:
        raise BadHead(414, "target too long")
    authority = ""
    if target[0] != "/" or "#" in target:
        target, authority = _split_absolute(target)
    start = line.end()
    if _FIELDS.fullmatch(text, start, len(text) - 2) is None:
        raise BadHead(400, "bad field")
    fields = _fields(text[start:-4], limits)
    if authority:
        _check_host(fields, minor == "1")
        fields["host"] = authority  # RFC 9112, 3.2.2: the Host field is ignored
    return _head(method, target, minor == "1", fields)


def _split_absolute(target: str) -> tuple[str, str]:
    """Path with query, and authority. A path may be missing before a query (RFC 9110, 4.2.3). This is no proxy, so other
    forms are refused."""
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise BadHead(400, "bad target")
    rest = found[2] or "/"
    return rest if rest[0] == "/" else f"/{rest}", found[1]


def split_target(target: str) -> tuple[str, str]:
    """The decoded path and the raw query of a target in origin-form."""
    path, _, query = target.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path).decode(errors="replace")
    return path, query


def _fields(block: str, limits: FrontLimits) -> dict[str, str]:
    if not block:
        return {}
    lines = block.split("\r\n")
    if len(lines) > limits.header_count:
        raise BadHead(431, "too many fields")
    fields: dict[str, str] = {}
    # A loop: comprehensions cost as much as a field or two each (Python 3.11).
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip(" \t")
    return fields if len(fields) == len(lines) else _join_repeated(lines)


def _join_repeated(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        raw, _, value = line.partition(":")
        name = raw.lower()
        value = value.strip(" \t")
        if name in fields:
            if name in _ONCE:
                raise BadHead(400, f"repeated {name}")
            value = f"{fields[name]}, {value}"
        fields[name] = value
    return fields


def _head(method: str, target: str, modern: bool, fields: dict[str, str]) -> Head:
    _check_host(fields, modern)
    length = _length(fields, modern)
    tokens = fields.get("connection", "").lower()
    close = not modern or (tokens != "" and "close" in _tokens(tokens))
    upgrade = fields.get("upgrade", "")
    if upgrade and (not modern or "upgrade" not in _tokens(tokens)):
        upgrade = ""
    path, query = split_target(target)
    expects_continue = "expect" in fields and _expects_continue(fields["expect"], modern)
    for name in HOP_FIELDS.intersection(fields):
        del fields[name]
    return Head(method, target, path, query, fields, length, close, expects_continue, upgrade, int(modern))


def _tokens(value: str) -> list[str]:
    return [token.strip(" \t") for token in value.split(",")]


def _check_host(fields: dict[str, str], modern: bool) -> None:
    """RFC 9112, 3.2: one Host in HTTP/1.1; RFC 9110, 4.2.1: not an empty one. HTTP/1.0 need not have it."""
    host = fields.get("host")
    if host is None:
        if modern:
            raise BadHead(400, "no Host")
        fields["host"] = "localhost"
    elif not is_host(host):
        raise BadHead(400, "bad Host")


def _length(fields: dict[str, str], modern: bool) -> int:
    """The length of the body (RFC 9112, 6.3, whose numbers the steps have); -1 for a chunked one."""
    announced = fields.get("content-length")
    coding = fields.get("transfer-encoding")
    # Steps 1 and 2 are about responses.
    if coding is not None:
        # Step 3: both fields together may be smuggling. The RFC allows to refuse them, and a coding in HTTP/1.0 (6.1).
        if announced is not None or not modern:
            raise BadHead(400, "transfer coding with a length, or in HTTP/1.0")
        # Step 4: chunked must be the last coding, or the end of the body is unknown: 400. Other codings before it
        # are not supported: 501 (6.1).
        codings = _tokens(coding.lower())
        if codings != ["chunked"]:
            raise BadHead(501 if codings[-1] == "chunked" else 400, "unknown transfer coding")
        return -1
    if announced is not None:
        # Step 5: an invalid length is refused, also a list of equal lengths, which the RFC allows to accept.
        # Step 6: a valid one is the length.
        if LENGTH.fullmatch(announced) is None:
            raise BadHead(400, "bad Content-Length")
        return int(announced)
    # Step 7: a request with neither has no body. Step 8 is about responses.
    return 0


def _expects_continue(value: str, modern: bool) -> bool:
    if not modern:
        return False  # RFC 9110, 10.1.1: ignored in HTTP/1.0
    if value.lower() != "100-continue":
        raise BadHead(417, "unknown expectation")
    return True
