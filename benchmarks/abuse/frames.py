"""Ten connections that send HTTP/2 SETTINGS frames without pause."""

from functools import partial

from benchmarks.abuse.probe import compare
from benchmarks.checkout import checkouts
from benchmarks.table import median, report, rounds, verdict


def measure(seconds: float) -> None:
    """Against others' latency."""
    runs = {
        name: partial(compare, checkout, "frames", seconds, 10) for name, checkout in checkouts("now").items()
    }
    table = rounds(runs, 1)
    report("Ten connections that flood SETTINGS", table, ("quiet_p50_ms", "p50_ms", "p99_ms", "p50_times"))
    verdict("others' p50 to quiet", median(table, "now", "p50_times"), 1.5, at_most=True)
