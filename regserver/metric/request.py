"""Requests by route, status and time.

prometheus-client's counters take a lock and a look-up by labels, a tenth of a short request's time, so these are plain
numbers that are converted when they are collected.
"""

from collections import defaultdict
from collections.abc import Iterator
from operator import itemgetter

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from regserver.domain.times import Times


class RequestMetrics(Collector):
    """Requests by route, status and time."""

    def __init__(self) -> None:
        self._times: defaultdict[tuple[str, str, int], Times] = defaultdict(Times)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request. seconds: from its last byte to its answer."""
        self._times[method, route, status].add(seconds)

    def collect(self) -> Iterator[Metric]:
        """Called by the registry: the counts in prometheus-client's form."""
        counts = CounterMetricFamily(
            "regserver_http_requests",
            "Requests answered, by route and status.",
            labels=("method", "route", "status"),
        )
        by_route: defaultdict[str, Times] = defaultdict(Times)
        for (method, route, status), times in sorted(self._times.items(), key=itemgetter(0)):
            counts.add_metric((method, route, str(status)), sum(times.counts))
            by_route[route].include(times)
        yield counts
        seconds = HistogramMetricFamily(
            "regserver_http_request_seconds",
            "Time from the request's last byte to its answer, by route.",
            labels=("route",),
        )
        for route, times in sorted(by_route.items(), key=itemgetter(0)):
            seconds.add_metric((route,), times.buckets(), times.sum)
        yield seconds
