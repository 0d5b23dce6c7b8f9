"""All metrics; GET /metrics shows them in Prometheus's text format.

prometheus-client counts everything but requests. Its counters take a lock and a look-up by labels, a tenth of a short
request's time, so `RequestMetrics` counts requests in plain numbers and converts them when they are collected.
"""

import bisect
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from regserver.endpoint import CloseCode

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_KNOWN_CLOSE_CODES = frozenset(CloseCode)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class _Times(msgspec.Struct):
    """How long the requests of one route took."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    sum: float = 0.0

    def buckets(self) -> list[tuple[str, float]]:
        """The histogram as Prometheus wants it: for each bound in seconds, the requests that took at most so long."""
        bounds = [*map(str, SECONDS), "+Inf"]
        return list(zip(bounds, itertools.accumulate(map(float, self.counts)), strict=True))


class RequestMetrics(Collector):
    """Requests by route, status and time."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._times: defaultdict[str, _Times] = defaultdict(_Times)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request. seconds: from its last byte to its answer."""
        self._counts[method, route, status] += 1
        times = self._times[route]
        times.counts[bisect.bisect_left(SECONDS, seconds)] += 1
        times.sum += seconds

    def collect(self) -> Iterator[Metric]:
        """Called by the registry: the counts in prometheus-client's form."""
        counts = CounterMetricFamily(
            "regserver_http_requests",
            "Requests answered, by route and status.",
            labels=("method", "route", "status"),
        )
        for (method, route, status), count in sorted(self._counts.items()):
            counts.add_metric((method, route, str(status)), count)
        yield counts
        seconds = HistogramMetricFamily(
            "regserver_http_request_seconds",
            "Time from the request's last byte to its answer, by route.",
            labels=("route",),
        )
        for route, times in sorted(self._times.items()):
            seconds.add_metric((route,), times.buckets(), times.sum)
        yield seconds


class _Watched(Collector):
    """A count of another part, read when it is collected."""

    def __init__(self, name: str, text: str, read: Callable[[], int]) -> None:
        self._name = name
        self._text = text
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(self._name, self._text, value=self._read())


class Metrics:
    """The metrics of one node, in a registry of their own, so that tests can have many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = RequestMetrics()
        self.registry.register(self.requests)
        self.limited = self.counter("limited", "Requests refused by a rate limit, by its name.", "limit")
        self.sockets = self.gauge("sockets", "Open WebSocket sessions.", "door")
        self.registrations = self.gauge("registrations_running", "Live registrations running now.")
        self.registrations_ended = self.counter(
            "registrations_ended", "Live registrations, by how they ended.", "state"
        )
        self.deliveries = self.counter("deliveries", "Notifications handed to sockets.")

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A new counter in the registry."""
        return Counter(f"regserver_{name}", text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """A new gauge in the registry."""
        return Gauge(f"regserver_{name}", text, labels, registry=self.registry)

    def watch(self, name: str, text: str, read: Callable[[], int]) -> None:
        """Shows a count that another part keeps. read: the count now."""
        self.registry.register(_Watched(f"regserver_{name}", text, read))

    def show(self) -> bytes:
        """All metrics as text."""
        return generate_latest(self.registry)


class SmsCounter:
    """Codes by SMS: sent, entered, and those that were not sent by the rule that held them back."""

    def __init__(self, metrics: Metrics) -> None:
        self._codes = metrics.counter(
            "sms_codes", "Codes by SMS: sent, entered, failed, or held back by a rule.", "outcome"
        )

    def count(self, outcome: str) -> None:
        """One code got this outcome."""
        self._codes.labels(outcome).inc()


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


class MailCounters:
    """Attempts to send mail by outcome, and the backlog after the last batch."""

    def __init__(self, metrics: Metrics) -> None:
        self._attempts = metrics.counter(
            "mail_attempts", "Attempts to send a message, by outcome.", "outcome"
        )
        self._waiting = metrics.gauge("mail_waiting", "Messages in the outbox.")
        self._parked = metrics.gauge("mail_parked", "Messages set aside for the operator.")

    def count(self, outcome: str) -> None:
        """One attempt ended."""
        self._attempts.labels(outcome).inc()

    def show(self, waiting: int, parked: int) -> None:
        """Takes the counts of the outbox after a batch."""
        self._waiting.set(waiting)
        self._parked.set(parked)
