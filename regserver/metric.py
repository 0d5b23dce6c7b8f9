"""What is counted, in one place; GET /metrics shows it in Prometheus's text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

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
