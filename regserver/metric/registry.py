"""The registry of one node's metrics, and the metrics that every server has."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from regserver.domain.times import Times
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


class _WatchedTimes(Collector):
    """A histogram of another part, read when it is collected."""

    def __init__(self, name: str, text: str, times: Times) -> None:
        self._name = name
        self._text = text
        self._times = times

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric((), self._times.buckets(), self._times.sum)
        yield family


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
        self.pushes = self.counter("pushes", "Messages of Web Push, by what became of them.", "outcome")
        self._deliveries = self.counter("deliveries", "Notifications handed to sockets.")
        self._joined = self.counter(
            "deliveries_joined", "Notifications that left in one write behind another one to the same socket."
        )
        self.sign_ins = self.counter(
            "sign_ins", "Tries to sign in: by which way, and what they were answered.", "way", "outcome"
        )
        self.guesses = self.counter(
            "guesses",
            "Guesses at an account's secrets: right, wrong, refused, or the last for a day.",
            "outcome",
        )
        self.jobs = self.counter("jobs", "Runs of regular jobs, by outcome.", "job", "outcome")
        self.job_done = self.gauge("job_done_timestamp_seconds", "When a regular job was last done.", "job")
        self.loop_delay = Times()
        self.watch_times(
            "event_loop_delay_seconds", "How late the event loop ran a task that was due.", self.loop_delay
        )

    def delivered(self, frames: int, receivers: int) -> None:
        """So many notifications have left in one write to each of so many sockets."""
        self._deliveries.inc(frames * receivers)
        if frames > 1:
            self._joined.inc((frames - 1) * receivers)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A new counter in the registry."""
        return Counter(f"regserver_{name}", text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """A new gauge in the registry."""
        return Gauge(f"regserver_{name}", text, labels, registry=self.registry)

    def watch(self, name: str, text: str, read: Callable[[], int], *, is_count: bool = True) -> None:
        """Shows a number that another part keeps. read: the number now. is_count: it only grows."""
        self.registry.register(_Watched(f"regserver_{name}", text, read, is_count=is_count))

    def watch_times(self, name: str, text: str, times: Times) -> None:
        """Shows a histogram that another part keeps."""
        self.registry.register(_WatchedTimes(f"regserver_{name}", text, times))

    def job_ran(self, job: str, done: bool) -> None:
        """Counts one run of a regular job."""
        self.jobs.labels(job, "done" if done else "failed").inc()
        if done:
            self.job_done.labels(job).set_to_current_time()

    def show(self) -> bytes:
        """All metrics as text."""
        return generate_latest(self.registry)
