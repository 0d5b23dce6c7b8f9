"""A client's message as regserver's parser and as h11 read it.

What we accept, h11 must accept and read the same, down to the byte where the next request begins. What h11 accepts we may
refuse, for one of the reasons in STRICTER. In one thing we are the more lenient one: as RFC 9112, 2.2 advises, one empty
line may go ahead of a request; h11 is not shown it.
"""

from urllib.parse import urlsplit

import h11
import msgspec

from regserver.serving import FrontLimits
from regserver.serving.body import Chunks
from regserver.serving.head import HOP_FIELDS, BadHead, Head, find_end, parse_head

LIMITS = FrontLimits()

_POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"

# Where we are the stricter one: what our refusal says, why, and an input that only we refuse.
STRICTER: dict[str, tuple[str, bytes]] = {
    "bad request line": ("methods are upper case and short", b"get / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no request line": ("seen in the first byte", b"!GET / HTTP/1.1\nHost: x\n\n"),
    "bad target": (
        "we are no proxy: origin form and absolute form only",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    "not HTTP/1": ("no version but 1.0 and 1.1", b"GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
    "target too long": ("a bound of ours", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "head too long": ("a bound of ours", _POST + b"X: " + b"a" * 17_000 + b"\r\n\r\n"),
    "too many fields": ("a bound of ours", _POST + b"X: 1\r\n" * 100 + b"\r\n"),
    "bad field": ("no obsolete line folding", _POST + b"X: 1\r\n 2\r\n\r\n"),
    "bare LF": ("a line ends with CRLF", b"GET / HTTP/1.1\nHost: x\n\n"),
    "bad Host": ("a host as the DNS and addresses have it", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "repeated content-length": (
        "not even the same one twice",
        _POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    ),
    "bad Content-Length": (
        "one number of up to 15 digits, no list",
        _POST + b"Content-Length: 1, 1\r\n\r\na",
    ),
    "transfer coding with a length, or in HTTP/1.0": (
        "smuggling lives on it",
        _POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "unknown expectation": ("no expectation but 100-continue", _POST + b"Expect: more\r\n\r\n"),
    "bad chunk size": ("32 bits are enough", _CHUNKED + b"00000000000\r\n\r\n"),
    "chunk line too long": ("a bound of ours", _CHUNKED + b"1;" + b"a" * 300 + b"\r\na\r\n0\r\n\r\n"),
    "bad trailer": ("no folding there either", _CHUNKED + b"0\r\nX: 1\r\n 2\r\n\r\n"),
}


class Message(msgspec.Struct, frozen=True):
    """One whole request. rest: the bytes behind it. fields: without those of the hop."""

    method: bytes
    target: bytes
    fields: dict[str, str]
    body: bytes
    rest: bytes


class Refused(msgspec.Struct, frozen=True):
    """It is no request; why."""

    why: str


class Incomplete(msgspec.Struct, frozen=True):
    """More bytes are needed, or the body is over the bound and never read."""


Reading = Message | Refused | Incomplete


def read_ours(raw: bytes) -> Reading:
    """What a connection makes of the bytes."""
    try:
        end = find_end(raw, LIMITS)
        if not end:
            return Incomplete()
        head = parse_head(raw[:end], LIMITS)
        body = _read_body(head, raw[end:])
    except BadHead as bad:
        return Refused(str(bad))
    if body is None:
        return Incomplete()
    return Message(head.method.encode(), head.target.encode(), head.fields, *body)


def _read_body(head: Head, data: bytes) -> tuple[bytes, bytes] | None:
    """The body, and what is behind it."""
    if head.length >= 0:
        whole = head.length <= min(len(data), LIMITS.body_bytes)
        return (data[: head.length], data[head.length :]) if whole else None
    chunks = Chunks(LIMITS.body_bytes)
    chunks.feed(data)
    return (bytes(chunks.body), chunks.rest) if chunks.done else None


def read_h11(raw: bytes) -> Reading:
    """What h11 makes of them."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(raw)
    request, body = None, b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                break
            else:
                return Incomplete()
    except h11.RemoteProtocolError as error:
        return Refused(str(error))
    rest = connection.trailing_data[0]
    fields, target = _end_to_end(request), request.target
    if target.lower().startswith((b"http://", b"https://")):  # RFC 9112, 3.2.2, which h11 leaves to its user
        parts = urlsplit(target.decode())
        target = (parts.path or "/").encode() + (f"?{parts.query}".encode() if b"?" in target else b"")
        fields["host"] = parts.netloc
    return Message(request.method, target, fields, body, rest)


def _end_to_end(request: h11.Request) -> dict[str, str]:
    fields: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode(), raw_value.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    if request.http_version == b"1.0":
        fields.setdefault("host", "localhost")  # what our endpoints see where HTTP/1.0 names no host
    return {name: value for name, value in fields.items() if name not in HOP_FIELDS}


def disagreement(raw: bytes) -> str:
    """What is wrong with our reading; "" when it is the same, or stricter for a reason."""
    raw = raw.removeprefix(b"\r\n")
    ours = read_ours(raw)
    if isinstance(ours, Incomplete):
        return ""
    theirs = read_h11(raw)
    if isinstance(ours, Message):
        return "" if ours == theirs else f"ours {ours}, h11 {theirs}"
    if isinstance(theirs, Message) and ours.why not in STRICTER:
        return f"only we refuse it, for {ours.why}"
    return ""
