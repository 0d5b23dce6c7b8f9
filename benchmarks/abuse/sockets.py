"""WebSockets over HTTP/2 with a window of 0, while 1.6 MB are posted to them."""

from functools import partial

from benchmarks.abuse.probe import attack, open_world, register
from benchmarks.checkout import Checkout, checkouts
from benchmarks.table import Figures, median, report, rounds, verdict

CONNECTIONS, EACH = 4, 95
POSTS, POST_BYTES = 100, 16 * 1024


def measure(seconds: float) -> None:
    """Against the server's memory."""
    runs = {name: partial(_shut, checkout, seconds) for name, checkout in checkouts("now").items()}
    table = rounds(runs, 1)
    report(f"{CONNECTIONS * EACH} WebSockets with a window of 0", table, ("grown_mib", "p50_ms", "p99_ms"))
    verdict("MiB that the server grows by", median(table, "now", "grown_mib"), 100, at_most=True)


def _shut(checkout: Checkout, seconds: float) -> Figures:
    with open_world(checkout) as world:
        # The listeners are of other accounts than who posts, since an actor's own sockets hear nothing.
        tokens = [register(world.server.port, f"listener{number}") for number in range(CONNECTIONS)]
        listeners = [world.ask("GET", "/login/info", token)["user"]["userId"] for token in tokens]
        room = world.ask("POST", "/room/create", world.attacker, {"otherUsers": listeners})["roomId"]
        quiet = world.server.rss_kib() / 1024
        with attack("sockets", world.server.port, ",".join(tokens), EACH):
            for _ in range(POSTS):
                world.ask("POST", f"/room/post/{room}", world.attacker, {"content": "x" * POST_BYTES})
            figures = world.measure(seconds)
    return figures | {"grown_mib": figures["rss_mib"] - quiet}
