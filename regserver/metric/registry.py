"""The registry of one node's metrics, and the metrics that every server has."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from regserver.metric.request import RequestMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Watched(Collector):
    """A number of another part, read when it is collected. is_count: it only grows."""

    def __init__(self, name: str, text: str, read: Callable[[], int], *, is_count: bool) -> None:
        self._family = CounterMetricFamily if is_count else GaugeMetricFamily
        self._name = name
        self._text = text
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield self._family(self._name, self._text, value=self._read())


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

    def watch(self, name: str, text: str, read: Callable[[], int], *, is_count: bool = True) -> None:
        """Shows a number that another part keeps. read: the number now. is_count: it only grows."""
        self.registry.register(_Watched(f"regserver_{name}", text, read, is_count=is_count))

    def show(self) -> bytes:
        """All metrics as text."""
        return generate_latest(self.registry)
