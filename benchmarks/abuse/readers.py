"""40 readers of 1,000 posts of 16 KiB who do not read: each on a connection of its own, or all on one of HTTP/2."""

from functools import partial

from benchmarks.abuse.probe import compare
from benchmarks.checkout import checkouts
from benchmarks.table import median, report, rounds, verdict

TITLES = {
    "readers": "40 connections of HTTP/1.1 that do not read",
    "streams": "40 streams of one HTTP/2 connection with a window of 0",
}


def measure(kind: str, seconds: float) -> None:
    """kind: of TITLES."""
    runs = {
        name: partial(compare, checkout, kind, seconds, room=True)
        for name, checkout in checkouts("now").items()
    }
    table = rounds(runs, 1)
    report(TITLES[kind], table, ("grown_mib", "p50_ms", "p99_ms", "p99_times"))
    verdict("MiB that the server grows by", median(table, "now", "grown_mib"), 100, at_most=True)
    verdict("others' p99 to quiet", median(table, "now", "p99_times"), 1.5, at_most=True)
