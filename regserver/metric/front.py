"""The metrics of the front door."""

from regserver.endpoint import CloseCode
from regserver.metric.registry import Metrics

_KNOWN_CLOSE_CODES = frozenset(CloseCode)


class FrontCounters:
    """The FrontMetrics of regserver.serving, as Prometheus metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._connections = metrics.gauge("connections", "Open connections.")
        self._refused = metrics.counter("connections_refused", "Connections refused, by status.", "status")
        self._cut = metrics.counter(
            "connections_cut", "Connections that the server ended, by reason: idle, flood.", "reason"
        )
        self._requests_refused = metrics.counter(
            "requests_refused", "Requests refused before any endpoint saw them, by status.", "status"
        )
        self._closed = metrics.counter(
            "sockets_closed", "WebSocket sessions that ended, by close code.", "code"
        )
        self._contained = metrics.counter("errors_contained", "Bugs that ended one connection.")

    def connection_opened(self) -> None:
        """A connection was accepted."""
        self._connections.inc()

    def connection_closed(self) -> None:
        """An accepted connection is gone."""
        self._connections.dec()

    def connection_refused(self, status: int) -> None:
        """A connection was refused with this status."""
        self._refused.labels(status).inc()

    def connection_cut(self, reason: str) -> None:
        """A connection was ended by the server."""
        self._cut.labels(reason).inc()

    def request_refused(self, status: int) -> None:
        """A request was answered with this status before any endpoint saw it."""
        self._requests_refused.labels(status).inc()

    def session_opened(self) -> None:
        """Does nothing: sessions are counted by door, in Metrics.sockets."""

    def session_closed(self, code: int) -> None:
        """A WebSocket session ended with this code."""
        # A client may send any code, and a label keeps every value for ever.
        self._closed.labels(code if code in _KNOWN_CLOSE_CODES else "other").inc()

    def error_contained(self) -> None:
        """A bug ended one connection and nothing else."""
        self._contained.inc()
