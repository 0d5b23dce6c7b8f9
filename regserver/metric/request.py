"""Requests by route, status and time.

prometheus-client's counters take a lock and a look-up by labels, a tenth of a short request's time, so these are plain
numbers that are converted when they are collected.
"""

import bisect
import itertools
from collections import defaultdict
from collections.abc import Iterator

import msgspec
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

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
