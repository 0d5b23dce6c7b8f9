"""Servers with their clients connected, measured in short bursts that take turns.

What a shared machine gives changes from one second to the next. So all that is compared stays up and connected, and
each ratio is of two bursts that are seconds apart.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.checkout import THIS, Checkout
from benchmarks.client import Client, client
from benchmarks.front.server import server
from benchmarks.process import Server, compiled
from benchmarks.table import Figures, Table, rounds

SOURCE = Path(__file__).parent / "fanclient.c"
WINDOW = 4  # messages on their way while throughput is taken
SETTLE_SECONDS = 0.3


class Contender:
    """connected: what connecting has shown; it stands in every row."""

    def __init__(self, running: Server, load: Client, connected: Figures) -> None:
        self._server = running
        self._load = load
        self._connected = connected

    def burst(self) -> Figures:
        """One short measurement. cpu_us: of the server's processor, per delivery or request."""
        used = self._server.cpu_seconds()
        self._load.go_on()
        figures = {**self._connected, **self._load.read()}
        figures["cpu_us"] = (self._server.cpu_seconds() - used) * 1e6 / figures["served"]
        return figures

    def stop(self) -> float:
        """Ends the server while all clients are there; seconds from SIGTERM to the end."""
        return self._server.stop()


Open = Callable[[], AbstractContextManager[Contender]]


def fan_client(mode: str, port: int, *arguments: str | float | Path) -> AbstractContextManager[Client]:
    return client([compiled(SOURCE), mode, port, *arguments])


@contextlib.contextmanager
def fan(
    name: str,
    sockets: int,
    seconds: float,
    samples: int,
    *,
    deaf: int = 0,
    window: int = WINDOW,
    checkout: Checkout = THIS,
) -> Iterator[Contender]:
    """Subscribers and a publisher: deliveries per second, and latencies to the last receiver."""
    with server(name, checkout=checkout) as running:
        before = running.rss_kib()
        with fan_client("fan", running.port, sockets, seconds, window, deaf, samples) as load:
            figures = load.read()
            time.sleep(SETTLE_SECONDS)
            figures["kib_a_socket"] = (running.rss_kib() - before) / sockets
            yield Contender(running, load, figures)


@contextlib.contextmanager
def http(serve: Callable[[], AbstractContextManager[Server]], seconds: float) -> Iterator[Contender]:
    """POST /rpc in a closed loop of 32 connections."""
    with serve() as running, asking(running, NOTHING, 32, seconds) as contender:
        yield contender


@contextlib.contextmanager
def asking(running: Server, request: str, connections: int, seconds: float) -> Iterator[Contender]:
    """Opens connections that send one request over and over.

    Args:
        running: The server.
        request: The request as it goes over the wire. A request for `text/event-stream` is timed up to the first event.
        connections: How many, each with one request on its way.
        seconds: The length of a burst.
    """
    mode = "first" if EVENT_STREAM in request else "http"
    with fan_client(mode, running.port, connections, seconds, request) as load:
        yield Contender(running, load, load.read())


def write_request(method: str, target: str, body: object = None, *fields: str) -> str:
    """Returns a request of HTTP/1.1 as it goes over the wire, its body as JSON."""
    content = "" if body is None else json.dumps(body)
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *fields]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", content])


EVENT_STREAM = "text/event-stream"
NOTHING = write_request("POST", "/rpc", {"jsonrpc": "2.0", "method": "bench.nothing", "id": 7})


def contest(contenders: Mapping[str, Open], count: int, bursts: int) -> Table:
    """Opens all of them so many times, and each time takes so many bursts of each, in turns."""
    table: dict[str, list[Figures]] = {name: [] for name in contenders}
    for _ in range(count):
        with contextlib.ExitStack() as stack:
            opened = {name: stack.enter_context(enter()) for name, enter in contenders.items()}
            for name, rows in rounds({name: each.burst for name, each in opened.items()}, bursts).items():
                table[name] += rows
    return table
