"""One run on a fresh database: the watched server, its source, its clients, and the figures of all three.

CPU and memory are the server's own. What the start of a process costs is paid before, by a few registrations that are
not counted, and what it takes when idle is subtracted.
"""

import json
import signal
import sys
import time
from pathlib import Path

from benchmarks.client import client
from benchmarks.process import CLIENT_CORE, Server, Words, free_port, scratch, server
from benchmarks.table import Figures

STEPS = 10
WARM_UP = 20
IDLE_SECONDS = 3


def measure(count: int, per_second: float, seconds: float, observers: int) -> Figures:
    """So many registrations at once, each with its observers and a source that takes so many seconds."""
    port, source_port = free_port(), free_port()
    source: Words = [sys.executable, "-m", "benchmarks.live.source", source_port, seconds, STEPS]
    with scratch() as folder, server(source, source_port, core=CLIENT_CORE):
        report = folder / "report.json"
        settings = _settings(folder, source_port, count + WARM_UP)
        served: Words = [sys.executable, "-m", "benchmarks.live.serve", port, report, *settings]
        with server(served, port) as running:
            figures = _observed(running, count, per_second, observers)
        figures |= json.loads(report.read_text())
    assert figures["whole"] == count * observers, "an observer did not see everything"
    return figures


def _settings(folder: Path, source_port: int, most: int) -> tuple[str, ...]:
    return (
        f"store.url=sqlite:{folder}/live.db",
        "live.source=http",
        f"live.http.url=http://127.0.0.1:{source_port}",
        f"live.max_running={most}",
        "limits.enabled=false",
        "log.level=error",
        "password.time_cost=1",
        "password.memory=512KiB",
    )


def _observed(running: Server, count: int, per_second: float, observers: int) -> Figures:
    _load(running, WARM_UP, per_second, observers)
    idle = _idle_share(running)
    running.tell(signal.SIGUSR1)
    started = time.monotonic()
    cpu, before = running.cpu_seconds(), running.rss_kib()
    figures = _load(running, count, per_second, observers)
    spent = running.cpu_seconds() - cpu - idle * (time.monotonic() - started)
    figures["cpu_ms"] = spent / count * 1000
    figures["kib"] = (figures["rss_kib"] - before) / count
    return figures


def _load(running: Server, count: int, per_second: float, observers: int) -> Figures:
    """Runs the clients to their end. rss_kib: the server's memory when all registrations run."""
    words = (sys.executable, "-m", "benchmarks.live.load", running.port, count, per_second, observers)
    with client(words) as clients:
        clients.read()
        return {"rss_kib": running.rss_kib()} | clients.read()


def _idle_share(running: Server) -> float:
    """How much of a core the server takes with nothing to do."""
    before = running.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (running.cpu_seconds() - before) / IDLE_SECONDS
