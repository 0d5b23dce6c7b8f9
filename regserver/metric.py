"""What is counted, in one place; GET /metrics shows it in Prometheus's text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

KNOWN_CLOSE_CODES = frozenset((1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1013))
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One node's figures. A registry of its own, so that tests can have many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "regserver_http_requests",
            "Requests answered, by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "regserver_http_request_seconds",
            "Time from the request's last byte to its answer, by route.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.limited = Counter(
            "regserver_limited",
            "Requests refused by a rate limit, by its row.",
            ("limit",),
            registry=self.registry,
        )
        self.sockets = Gauge(
            "regserver_sockets", "Open WebSocket sessions.", ("door",), registry=self.registry
        )
        self.registrations = Gauge(
            "regserver_registrations_running", "Live registrations running now.", registry=self.registry
        )
        self.registrations_ended = Counter(
            "regserver_registrations_ended",
            "Live registrations, by how they ended.",
            ("state",),
            registry=self.registry,
        )
        self.deliveries = Counter(
            "regserver_deliveries", "Notifications handed to sockets.", registry=self.registry
        )

    def show(self) -> bytes:
        """All figures as text."""
        return generate_latest(self.registry)


class FrontFigures:
    """The front door's events as figures: what regserver.serving wants of its metrics."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._connections = Gauge("regserver_connections", "Open connections.", registry=registry)
        self._refused = Counter(
            "regserver_connections_refused",
            "Connections turned away, by the status they were given.",
            ("status",),
            registry=registry,
        )
        self._requests_refused = Counter(
            "regserver_requests_refused",
            "Requests that no endpoint has seen, by the status they were given.",
            ("status",),
            registry=registry,
        )
        self._closed = Counter(
            "regserver_sockets_closed",
            "WebSocket sessions, by their close code.",
            ("code",),
            registry=registry,
        )
        self._contained = Counter(
            "regserver_errors_contained", "Bugs that ended one connection.", registry=registry
        )

    def connection_opened(self) -> None:
        self._connections.inc()

    def connection_closed(self) -> None:
        self._connections.dec()

    def connection_refused(self, status: int) -> None:
        self._refused.labels(status).inc()

    def request_refused(self, status: int) -> None:
        self._requests_refused.labels(status).inc()

    def session_opened(self) -> None:
        """Counted by door, in Metrics.sockets."""

    def session_closed(self, code: int) -> None:
        # A client may close with any code it likes; each label value is kept for ever.
        self._closed.labels(code if code in KNOWN_CLOSE_CODES else "other").inc()

    def error_contained(self) -> None:
        self._contained.inc()
