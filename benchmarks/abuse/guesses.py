"""Twenty networks that sign in wrongly, as many at once as may, and somebody who signs in with the right password."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from functools import partial

from benchmarks.abuse.probe import attack, open_world
from benchmarks.checkout import Checkout, checkouts
from benchmarks.table import Figures, median, report, rounds, verdict

NETWORKS = 20
SETTINGS = ("limits.enabled=true", "server.trusted_proxies=127.0.0.1")
OWNER = "198.51.100.7"
PASSWORD = "rather long and rare"
PAUSE_SECONDS = 0.2


def measure(seconds: float) -> None:
    """What a right sign-in waits meanwhile."""
    runs = {name: partial(_measure, checkout, seconds) for name, checkout in checkouts("now").items()}
    table = rounds(runs, 1)
    figures = ("quiet_p50_ms", "p50_ms", "worst_ms", "signed_in")
    report(f"{NETWORKS} networks that sign in wrongly", table, figures)
    verdict("the longest right sign-in, ms", median(table, "now", "worst_ms"), 1000, at_most=True)
    verdict("right sign-ins that were refused", median(table, "now", "refused"), 0, at_most=True)


def _measure(checkout: Checkout, seconds: float) -> Figures:
    with open_world(checkout, *SETTINGS) as world:
        port = world.server.port
        quiet = sorted(taken for _, taken in _sign_ins(port, seconds / 3))
        with attack("guesses", port, world.attacker, NETWORKS):
            found = list(_sign_ins(port, seconds))
    hurt = sorted(taken for _, taken in found)
    return {
        "quiet_p50_ms": 1000 * quiet[len(quiet) // 2],
        "p50_ms": 1000 * hurt[len(hurt) // 2],
        "worst_ms": 1000 * hurt[-1],
        "signed_in": sum(status == 200 for status, _ in found),
        "refused": sum(status != 200 for status, _ in found),
    }


def _sign_ins(port: int, seconds: float) -> Iterator[tuple[int, float]]:
    """Status and seconds of one right sign-in after the other, from a network of their own."""
    fields = {"content-type": "application/json", "x-forwarded-for": OWNER}
    body = json.dumps({"username": "alice", "password": PASSWORD})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        started = time.monotonic()
        with contextlib.closing(connection):
            connection.request("POST", "/login", body, fields)
            response = connection.getresponse()
            response.read()
        yield response.status, time.monotonic() - started
        time.sleep(PAUSE_SECONDS)
