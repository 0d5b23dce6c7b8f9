"""python -m benchmarks.live [--count 1000] [--seconds 10] [--observers 2] [--rounds 1] [--per-second 90]

COUNT registrations at once against a tenth of them, each with its observers and a source that takes SECONDS. The
server has one core, its clients and the source the other. CPU and memory are the server's own, from /proc; what the
start of a process costs is paid before, by a few registrations that are not counted, and what it takes when idle is
subtracted.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.front.process import CLIENT_CORE, ROOT, SERVER_CORE, free_port

STEPS = 10
WARM_UP = 20
IDLE_SECONDS = 3
TICK = os.sysconf("SC_CLK_TCK")

Figures = dict[str, Any]


@contextlib.contextmanager
def running(module: str, *arguments: str, core: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", f"benchmarks.live.{module}", *arguments]
    process = subprocess.Popen(["taskset", "-c", str(core), *command], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def idle_share(pid: int) -> float:
    """How much of a core the server takes with nothing to do."""
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def load(port: int, count: int, per_second: float, observers: int, server: int = 0) -> Figures:
    """Runs the clients to their end. server: whose memory is looked at when all registrations run."""
    arguments = (str(port), str(count), str(per_second), str(observers))
    with running("load", *arguments, core=CLIENT_CORE) as clients:
        assert clients.stdout is not None
        clients.stdout.readline()
        figures = {"resident": resident_bytes(server)} if server else {}
        return {**figures, **json.loads(clients.stdout.readline())}


def measure(count: int, per_second: float, seconds: float, observers: int) -> Figures:
    """One run on a fresh database."""
    port, source_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(dir=_build()) as folder, contextlib.ExitStack() as stack:
        report = Path(folder) / "report.json"
        settings = (
            f"store.url=sqlite:{folder}/live.db",
            "live.source=http",
            f"live.http.url=http://127.0.0.1:{source_port}",
            f"live.max_running={count + WARM_UP}",
            "limits.enabled=false",
            "log.level=error",
            "password.time_cost=1",
            "password.memory=512KiB",
        )
        timing = (str(seconds), str(STEPS))
        stack.enter_context(running("source", str(source_port), *timing, core=CLIENT_CORE))
        with running("serve", str(port), str(report), *settings, core=SERVER_CORE) as server:
            wait_for(port)
            wait_for(source_port)
            load(port, WARM_UP, per_second, observers)
            idle = idle_share(server.pid)
            server.send_signal(signal.SIGUSR1)
            started = time.monotonic()
            cpu, resident = cpu_seconds(server.pid), resident_bytes(server.pid)
            figures = load(port, count, per_second, observers, server.pid)
            spent = cpu_seconds(server.pid) - cpu - idle * (time.monotonic() - started)
            figures["cpu_ms"] = spent / count * 1000
            figures["kib"] = (figures["resident"] - resident) / count / 1024
        figures.update(json.loads(report.read_text()))
    assert figures["whole"] == count * observers, "an observer did not see everything"
    return figures


def _build() -> Path:
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder


def wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    raise SystemExit(f"nobody listens on {port}")


ROWS = (
    ("cpu_ms", "CPU per registration", "ms"),
    ("kib", "memory per running registration", "KiB"),
    ("sign_in_ms", "sign-in, median", "ms"),
    ("first_ms", "first event after the handshake began, median", "ms"),
    ("first_p99_ms", "the same, 99th percentile", "ms"),
    ("delivery_ms", "line written → event read, median", "ms"),
    ("delivery_p99_ms", "the same, 99th percentile", "ms"),
    ("wall_ms", "longest step of the loop, by the wall clock", "ms"),
    ("own_ms", "longest step of the loop, by its own clock", "ms"),
    ("work_ms", "the same without the garbage collector", "ms"),
    ("collector_ms", "longest run of the garbage collector", "ms"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.live", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--observers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=90, help="sign-ins a second")
    chosen = parser.parse_args()
    counts = (max(1, chosen.count // 10), chosen.count)
    table: dict[int, list[Figures]] = {count: [] for count in counts}
    for _ in range(chosen.rounds):
        for count in counts:
            table[count].append(measure(count, chosen.per_second, chosen.seconds, chosen.observers))
    print(
        f"{chosen.observers} observers each, a source that takes {chosen.seconds:g} s in {STEPS} steps, "
        f"{chosen.per_second:g} sign-ins a second, medians of {chosen.rounds}"
    )
    print(f"{'at once':>50} {counts[0]:>10,} {counts[1]:>10,}      ratio")
    for key, text, unit in ROWS:
        few, many = (statistics.median(each[key] for each in table[count]) for count in counts)
        print(f"{text:>50} {few:>10,.2f} {many:>10,.2f} {unit:<4} {many / few if few else 0:>5.2f}")
    print(f"{'the task of the longest step without it':>50} {table[counts[1]][-1]['task']}")


if __name__ == "__main__":
    main()
