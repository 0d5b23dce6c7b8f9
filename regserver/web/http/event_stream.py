"""Server-Sent Events (HTML, 9.2): answers that go on for as long as the client listens."""

from regserver.endpoint import Response, StreamResponse
from regserver.web.http.answer import HeaderFields

EVENT_STREAM = "text/event-stream"
STREAM_FIELDS = (
    ("cache-control", "no-store"),
    ("x-accel-buffering", "no"),  # nginx would keep the events until its buffer is full
)
RETRY = b"retry: 2000\n\n"
"""The first line of a stream: a client that lost its connection waits this many milliseconds before it connects again."""
HEARTBEAT = b":\n\n"
HEARTBEAT_SECONDS = 15.0


class EventStream(StreamResponse, frozen=True, kw_only=True):
    """Events as they come; the data of each is a LiveFrame."""

    content_type: str = EVENT_STREAM
    headers: HeaderFields = STREAM_FIELDS


class EventStreamHead(Response, frozen=True, kw_only=True):
    """What a HEAD request gets in place of the stream."""

    content_type: str = EVENT_STREAM
    headers: HeaderFields = STREAM_FIELDS
