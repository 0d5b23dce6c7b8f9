"""The types between `serving` and `web`: requests, responses and WebSocket sessions.

`serving` converts bytes to these types and back, and knows no door. `web` writes its endpoints with them, and sees no
socket and no framework. So one endpoint serves HTTP/1.1, HTTP/2 and the test client.
"""

import enum
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import ClassVar, Literal, NewType, Protocol, Self

import msgspec

Frame = NewType("Frame", bytes)
"""One complete unmasked WebSocket server frame, header included, ready to be written to any number of sockets."""

MAX_BODY_BYTES = 64 * 1024
"""Longest request body of any route (contract, section 0)."""


def _stays() -> bool:
    return False


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request with its whole body.

    method: upper case, as received.
    path: percent-decoded (UTF-8, invalid bytes replaced), without the query, with its leading slash.
    query: the raw query string, without "?", or "".
    headers: field names in lower case; a repeated field's values are joined with ", ".
    body: at most MAX_BODY_BYTES; empty when `oversized`.
    oversized: the client sent or announced a longer body, which was dropped.
    peer: the socket's remote address without port, "" for a unix socket; proxy fields are ignored.
    root_path: the path where the app is mounted, without a slash at the end; links begin with it, `path` does not.
    params: the parameters in the path; empty until the request is routed.
    is_admitted: whether its limit was asked before its body came.
    client: the address that limits count by: the peer's, or the one that a proxy names (docs/proxy.md); set with params.
    gone: whether the client has closed its side of the connection; asked before costly work. A request over HTTP/2 is
    cancelled instead.
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
    is_admitted: bool = False
    client: str = ""
    gone: Callable[[], bool] = _stays


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP response with its whole body. headers: further fields, without content-type, length and date.

    help: the name under which the reference explains a refusal; "" for other answers.
    is_stream: whether it is a StreamResponse. Asked before isinstance, which takes ten times as long for a Struct.
    """

    is_stream: ClassVar[bool] = False

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    help: str = ""


class StreamResponse(Response, frozen=True, kw_only=True):
    """One HTTP response whose body is written while it is made; no length is sent.

    body: what is there already; it leaves in one write with the head.
    stream: the following chunks, each written before the next is requested. It is closed when the client is gone, and must
    end by itself when the server stops.
    """

    is_stream = True

    stream: AsyncGenerator[bytes, None]


class CloseCode(enum.IntEnum):
    """Why a WebSocket was closed (RFC 6455, 7.4.1; 1012 to 1014: the IANA registry).

    meaning: when this server sends the code, or what it means in logs and metrics.
    should_reconnect: whether it makes sense for the client to connect again, after a pause.
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
    UNSUPPORTED_DATA = 1003, "The client sent a binary message where text is expected.", False
    NO_STATUS = 1005, "The peer closed without a code; never sent.", False
    ABNORMAL = 1006, "The connection was lost without a closing handshake; never sent.", True
    INVALID_DATA = 1007, "A text message was not UTF-8.", False
    POLICY_VIOLATION = 1008, "The client may not listen: its token has ended, or nothing is there.", False
    MESSAGE_TOO_BIG = 1009, "A message was longer than the server accepts.", False
    INTERNAL_ERROR = 1011, "The server failed; its log says how.", True
    TRY_AGAIN_LATER = 1013, "The client read too slowly, or the server is too busy.", True


class SessionClosed(Exception):
    """The WebSocket was closed by either side, or lost.

    code: the close code, ABNORMAL when there was none. A client may send any code, so it need not be a CloseCode.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Receiver(Protocol):
    """A session as the sender of frames sees it. `direct` and `send_rest_nowait` are for `Broadcast` alone."""

    @property
    def direct(self) -> Callable[[Frame], int]:
        """Writes a frame straight to the socket; returns the number of bytes written.

        Raises OSError, such as BlockingIOError, when nothing was written; the caller then calls `send_nowait`.
        """

    def send_nowait(self, frame: Frame) -> bool:
        """Sends a frame, or queues it. False when the session is not open, or closes because its queue is full."""

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        """Queues the rest of a frame of which `direct` has written `taken` bytes; returns the same as send_nowait."""


Broadcast = Callable[[Frame, Sequence[Receiver]], None]
"""Sends one frame to many receivers, as `send_nowait` of each would; never blocks or raises."""


class SocketSession(Receiver, Protocol):
    """One WebSocket connection, from the upgrade request to its end.

    The endpoint runs inside the session's own nursery. It must first accept or reject. When it returns, an open session
    closes with 1000. Methods that end with `_nowait` never block: bytes that the socket does not take are queued, up to
    the configured bound; past it the session closes with 1013.
    """

    unsent_bytes: int
    """Queued, or being written."""

    @property
    def request(self) -> Request:
        """The upgrade request; its scheme is "http" for ws and "https" for wss.

        Accepting removes its header fields and query: they may hold a token, and a session may live for days.
        """

    def accept_nowait(self) -> None:
        """Answers the handshake with 101. Frames may be sent from here on."""

    def reject_nowait(self, response: Response) -> None:
        """Answers the handshake with an ordinary HTTP response instead; the session is over."""

    async def receive(self) -> str | bytes:
        """Waits for the next whole message. Raises SessionClosed when there will be none."""

    def send_text_nowait(self, text: str | bytes) -> bool:
        """Sends a text message, as str or UTF-8; returns the same as send_nowait."""

    def start_soon(self, task: Callable[[], Awaitable[None]]) -> None:
        """Starts a task that ends with the session. What it raises is logged, and closes the session with 1011."""

    async def drained(self) -> None:
        """Waits until the queue is empty or the session is over. For endpoints that send more than the bound."""

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Starts the closing handshake, after all queued frames. It ends in bounded time, whatever the peer does."""

    async def wait_closed(self) -> int:
        """Discards messages of the client until the session is over; returns the close code."""


Endpoint = Callable[[Request], Awaitable[Response]]
"""Answers a request. It raises nothing that a client could cause."""

SocketEndpoint = Callable[[SocketSession], Awaitable[None]]
"""Serves one WebSocket session; returns or is cancelled when the session is over."""
