"""One measurement each: a fresh server, the client on the other core, figures as a dictionary."""

import subprocess
import time

from benchmarks.front.process import client, cpu_seconds, rss_kib, server

Figures = dict[str, float]


def fan(name: str, sockets: int, seconds: float, *, window: int = 4, deaf: int = 0) -> Figures:
    """Deliveries per second and latency to the last receiver, with memory and connects on the way."""
    with server(name) as (port, process):
        before = rss_kib(process)
        with client("fan", port, sockets, seconds, window, deaf) as running:
            figures = running.read()
            time.sleep(0.3)
            figures["kib_a_socket"] = (rss_kib(process) - before) / sockets
            used = cpu_seconds(process)
            running.go_on()
            figures |= running.read()
            figures["cpu_us"] = (cpu_seconds(process) - used) * 1e6 / figures["served"]
            figures["shutdown_s"] = _shutdown_seconds(process) if name == "ours" else 0.0
    return figures


def idle(name: str, sockets: int, seconds: float) -> Figures:
    """Memory per idle socket, after some rounds of pings too."""
    with server(name) as (port, process):
        before = rss_kib(process)
        with client("idle", port, sockets) as running:
            figures = running.read()
            time.sleep(seconds)
            figures["kib_a_socket"] = (rss_kib(process) - before) / sockets
            running.go_on()
    return figures


def http(name: str, connections: int, seconds: float) -> Figures:
    """Requests per second of POST /rpc."""
    with server(name) as (port, process), client("http", port, connections, seconds) as running:
        running.read()
        used = cpu_seconds(process)
        running.go_on()
        figures = running.read()
        figures["cpu_us"] = (cpu_seconds(process) - used) * 1e6 / figures["served"]
        return figures


def _shutdown_seconds(process: "subprocess.Popen[bytes]") -> float:
    """From SIGTERM to the end, with all clients still there."""
    start = time.monotonic()
    process.terminate()
    process.wait(60)
    return time.monotonic() - start
