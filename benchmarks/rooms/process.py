"""Servers and clients of a measurement as processes, each on a core of its own."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.rooms.world import Somebody, World, build

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "rooms"
SERVER_CORE, CLIENT_CORE = 0, 1

Figures = dict[str, float]


def prepare() -> None:
    """Builds the client, unless it is there."""
    BUILD.mkdir(parents=True, exist_ok=True)
    source, binary = HERE / "roomclient.c", BUILD / "roomclient"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", binary, source], check=True)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def world(
    *, people: int, rooms: int = 1, members: int | None = None, posts: int = 0
) -> Iterator[tuple[Path, World]]:
    """A database on a disk, since that is what is measured; gone at the end."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        path = Path(folder) / "rooms.db"
        now = time.time_ns() // 1_000_000
        yield path, build(path, now, people=people, rooms=rooms, members=members, posts=posts)


@contextlib.contextmanager
def server(path: Path, module: str = "regserver") -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The started product, on the server's core; its port and process."""
    port = free_port()
    settings = (
        f"server.bind=127.0.0.1:{port}",
        f"store.url=sqlite:{path}",
        "live.source=none",
        "limits.enabled=false",
        "log.level=warning",
    )
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", module, "serve"]
    for setting in settings:
        command += ["--set", setting]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, env={**os.environ})
    try:
        _wait_for(port, process)
        yield port, process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"the server on port {port} does not answer")


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor time a process has used, its own and the kernel's for it: steadier than a clock on a shared machine."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def client(mode: str, port: int, *arguments: object, people: Sequence[Somebody]) -> Figures:
    """Runs the C client to its end; its figures."""
    words = [str(BUILD / "roomclient"), mode, str(port), *map(str, arguments)]
    done = subprocess.run(
        ["taskset", "-c", str(CLIENT_CORE), *words],
        input="".join(f"{person.token}\n" for person in people),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: Figures = json.loads(done.stdout)
    return figures
