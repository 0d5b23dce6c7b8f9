"""What an endpoint sees of the wire: a request in and a response out, or a WebSocket session.

The two halves of the server meet here. `serving` turns bytes into these types and back and knows no door; `web`
writes its endpoints on them and never sees a socket or a framework. That is why one endpoint serves on the hot path,
behind Quart and in the test client alike.
"""

import enum
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Literal, NewType, Protocol, Self

import msgspec

Frame = NewType("Frame", bytes)
"""One complete unmasked WebSocket server frame, header included, ready to be written to any number of sockets."""

MAX_BODY_BYTES = 64 * 1024
"""Longest request body of any route (contract, section 0)."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request with its whole body.

    method: upper case, as received.
    path: percent-decoded (UTF-8, invalid bytes replaced), without the query, with its leading slash.
    query: the raw query string, without "?", or "".
    headers: field names in lower case; a repeated field's values are joined with ", ".
    body: at most MAX_BODY_BYTES; empty when `oversized`.
    oversized: the client sent, or announced, a longer body than that; it was not kept.
    peer: the socket's remote address without port, "" for a unix socket. No proxy header is looked at here.
    root_path: where the app is mounted, without a slash at the end; addresses that lead to us begin with it, `path` does not.
    params: what the router took from the path; empty until the request is routed.
    client: the address that limits count by: the peer's, or behind a trusted proxy the one it names; set with params.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""
    oversized: bool = False
    peer: str = ""
    scheme: Literal["http", "https"] = "http"
    root_path: str = ""
    params: Mapping[str, str] = {}
    client: str = ""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP response with its whole body. `headers` holds further fields; length and date are not among them."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class StreamResponse(Response, frozen=True, kw_only=True):
    """One HTTP response whose body is written as it comes; `body` stays empty, and the length is not announced.

    stream: the pieces, each written before the next is asked for. It is closed when the client is gone, and must end
    by itself when the server stops. Such an endpoint is never on a hot route: those write a response at once.
    """

    stream: AsyncGenerator[bytes, None]


class CloseCode(enum.IntEnum):
    """Why a WebSocket was closed (RFC 6455, 7.4.1; 1012 to 1014: the IANA registry).

    meaning: when this server uses the code, or what it stands for in logs and metrics.
    should_reconnect: whether the same client can expect more from connecting again, after a pause.
    """

    meaning: str
    should_reconnect: bool

    def __new__(cls, code: int, meaning: str, should_reconnect: bool) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.should_reconnect = should_reconnect
        return member

    NORMAL = 1000, "The conversation is complete.", False
    GOING_AWAY = 1001, "The server stops.", True
    PROTOCOL_ERROR = 1002, "The client broke the WebSocket protocol.", False
    UNSUPPORTED_DATA = 1003, "The client sent a binary message where only text is taken.", False
    NO_STATUS = 1005, "The peer closed without a code; never sent.", False
    ABNORMAL = 1006, "The connection was lost without a closing handshake; never sent.", True
    INVALID_DATA = 1007, "A text message was not UTF-8.", False
    POLICY_VIOLATION = 1008, "The client may not listen here: its token ended, or nothing is there.", False
    MESSAGE_TOO_BIG = 1009, "A message was longer than the server takes.", False
    INTERNAL_ERROR = 1011, "The server failed; its log says how.", True
    TRY_AGAIN_LATER = 1013, "The client took its messages too slowly, or the server is too busy.", True


class SessionClosed(Exception):
    """The WebSocket is over: closed by either side, or lost. `code` is the close code, ABNORMAL when there was none.

    A client may close with a code of its own, so `code` need not be a CloseCode.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Receiver(Protocol):
    """Where frames can be sent. All but `send_nowait` is there for a `Broadcast`, which spares itself a call per frame."""

    @property
    def direct(self) -> Callable[[Frame], int]:
        """Writes straight to the socket and tells how many bytes that took. Raises OSError, BlockingIOError for one,
        when nothing was written; `send_nowait` then does what is to be done."""

    def send_nowait(self, frame: Frame) -> bool:
        """Sends a prebuilt frame. False when the session is not open (any more), or has just become too slow."""

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        """Sends what `direct` has left of a frame, before anything else is sent; the outcome is that of send_nowait."""


Broadcast = Callable[[Frame, Sequence[Receiver]], None]
"""Sends one frame to many, as `send_nowait` of each would; never blocks or raises."""


class SocketSession(Receiver, Protocol):
    """One WebSocket connection, from the upgrade request to its end.

    The endpoint runs inside the session's own cancel scope. It must first either accept or reject; when it returns,
    the session closes with 1000 if it is still open. Nothing that ends with `_nowait` ever blocks: what the socket
    does not take at once is queued, in bytes, up to the configured bound, past which the session closes with 1013.
    """

    @property
    def request(self) -> Request:
        """The upgrade request; its scheme is "http" for ws and "https" for wss.

        Once it is accepted, header fields and query are gone from it: they may hold a token, and a session may live for days.
        """

    def accept_nowait(self) -> None:
        """Answers the handshake with 101. Frames may be sent from here on."""

    def reject_nowait(self, response: Response) -> None:
        """Answers the handshake with an ordinary HTTP response instead; the session is over."""

    async def receive(self) -> str | bytes:
        """The next whole message. Raises SessionClosed when there will be none."""

    def send_text_nowait(self, text: str | bytes) -> bool:
        """Frames UTF-8 text and sends it; the outcome is that of send_nowait."""

    async def drained(self) -> None:
        """Until the peer has taken what was queued, or the session is over: for whoever sends more than the bound."""

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Starts the closing handshake, once; ends in bounded time whatever the peer does. What is queued goes first."""

    async def wait_closed(self) -> int:
        """Discards what the client sends until the session is over; the close code."""


Endpoint = Callable[[Request], Awaitable[Response]]
"""Serves a request to the end: it raises nothing that a client could cause."""

SocketEndpoint = Callable[[SocketSession], Awaitable[None]]
"""Serves one WebSocket session; returns or is cancelled when the session is over."""
