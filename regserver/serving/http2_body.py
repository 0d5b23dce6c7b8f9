"""The bodies of an HTTP/2 connection's requests, until they are answered: bounded in time, each in size, and all together."""

from regserver.serving.connection_state import NEVER
from regserver.serving.held import Held
from regserver.serving.http2_stream import Http2Stream
from regserver.serving.limit import FrontLimits


class Http2Bodies:
    """A hundred streams could have a hundred bodies; a connection of HTTP/1.1 has one."""

    def __init__(self, held: Held, limits: FrontLimits) -> None:
        self._held = held
        self._limits = limits
        self._unfinished: dict[int, Http2Stream] = {}  # the oldest first
        self._size = 0

    @property
    def due(self) -> float:
        """When the oldest unfinished body must be whole."""
        return next((stream.due for stream in self._unfinished.values()), NEVER)

    def late(self, now: float) -> list[Http2Stream]:
        """The streams whose bodies should be whole by now."""
        return [stream for stream in self._unfinished.values() if stream.due < now]

    def begin(self, stream: Http2Stream) -> None:
        """A request whose body comes later."""
        self._unfinished[stream.number] = stream

    def receive(self, stream: Http2Stream, data: bytes) -> int:
        """Adds a part; returns 0, or the status of a body that is too long (413) or finds no place (503)."""
        if len(stream.inbound) + len(data) > self._limits.body_bytes:
            return 413
        if self._size + len(data) > self._limits.http2_body_bytes or not self._held.admits(len(data)):
            return 503
        stream.inbound += data
        self._add(len(data))
        return 0

    def finish(self, stream: Http2Stream) -> None:
        """The request is being answered, and nothing more is added to its body."""
        self._unfinished.pop(stream.number, None)

    def drop(self, stream: Http2Stream) -> None:
        """The request is answered, or gone."""
        self.finish(stream)
        self._add(-len(stream.inbound))
        stream.inbound.clear()

    def _add(self, size: int) -> None:
        self._size += size
        self._held.add(size)
