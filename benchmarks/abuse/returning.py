"""A storm of returning clients: 100 WebSockets that all missed the same 1,500 posts resume at once, again and again."""

import json
import socket
from functools import partial

from benchmarks.abuse.attack import handshake
from benchmarks.abuse.probe import attack, open_world, register
from benchmarks.checkout import Checkout, checkouts
from benchmarks.table import Figures, median, report, rounds, verdict

SOCKETS, POSTS = 100, 1500


def measure(seconds: float) -> None:
    """Against others' latency."""
    runs = {name: partial(_return, checkout, seconds) for name, checkout in checkouts("now").items()}
    table = rounds(runs, 1)
    report(f"{SOCKETS} clients that return at once", table, ("quiet_p99_ms", "p50_ms", "p99_ms", "p99_times"))
    verdict("others' p99 to quiet", median(table, "now", "p99_times"), 1.5, at_most=True)


def _return(checkout: Checkout, seconds: float) -> Figures:
    with open_world(checkout) as world:
        token = register(world.server.port, "listener")
        me = world.ask("GET", "/login/info", token)["user"]["userId"]
        room = world.ask("POST", "/room/create", world.attacker, {"otherUsers": [me]})["roomId"]
        cursor = _cursor(world.server.port, token)
        for number in range(POSTS):
            world.ask("POST", f"/room/post/{room}", world.attacker, {"content": f"{number:0200d}"})
        quiet = world.measure(seconds)
        with attack("returning", world.server.port, token, cursor, SOCKETS):
            figures = world.measure(seconds)
    times = figures["p99_ms"] / quiet["p99_ms"]
    return figures | {"quiet_p99_ms": quiet["p99_ms"], "p99_times": times}


def _cursor(port: int, token: str) -> str:
    """The present one: of the first frame of a socket."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(handshake(token, ""))
        data = b""
        while b"}" not in data.partition(b"\r\n\r\n")[2]:
            data += sock.recv(4096)
    frame = data.partition(b"\r\n\r\n")[2]
    cursor: str = json.loads(frame[frame.index(b"{") :])["cursor"]
    return cursor
