"""One measurement each: a fresh server, the client on the other core, figures as a dictionary."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.client import Client, client
from benchmarks.front.server import server
from benchmarks.process import Server, compiled
from benchmarks.table import Figures

SOURCE = Path(__file__).parent / "fanclient.c"
WINDOW = 4  # messages on their way while throughput is taken
House = Callable[[], AbstractContextManager[Server]]


def fan_client(mode: str, port: int, *arguments: str | float | Path) -> AbstractContextManager[Client]:
    return client([compiled(SOURCE), mode, port, *arguments])


def fan(name: str, sockets: int, seconds: float, samples: int, *, deaf: int = 0) -> Figures:
    """Deliveries per second and latencies to the last receiver, with memory and connects on the way."""
    with server(name) as running:
        before = running.rss_kib()
        with fan_client("fan", running.port, sockets, seconds, WINDOW, deaf, samples) as subscribers:
            figures = subscribers.read()
            time.sleep(0.3)
            figures["kib_a_socket"] = (running.rss_kib() - before) / sockets
            used = running.cpu_seconds()
            subscribers.go_on()
            figures |= subscribers.read()
            figures["cpu_us"] = (running.cpu_seconds() - used) * 1e6 / figures["served"]
            # From SIGTERM to the end, with all clients still there.
            figures["shutdown_s"] = running.stop() if name == "ours" else 0.0
    return figures


def http(house: House, connections: int, seconds: float) -> Figures:
    """Requests per second of POST /rpc."""
    with house() as running, fan_client("http", running.port, connections, seconds) as asking:
        asking.read()
        used = running.cpu_seconds()
        asking.go_on()
        figures = asking.read()
        figures["cpu_us"] = (running.cpu_seconds() - used) * 1e6 / figures["served"]
        return figures
