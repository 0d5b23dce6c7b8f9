"""Servers and clients of a measurement as processes, each on a core of its own."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "front"
SERVER_CORE, CLIENT_CORE = 0, 1
WS_VERSION = "8.23.0"


def prepare() -> None:
    """Builds the C programs and installs Node's ws under build/front, unless they are there."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in ("fanclient", "floor"):
        source, binary = HERE / f"{name}.c", BUILD / name
        if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", binary, source], check=True)
    if not (BUILD / "node_modules" / "ws").exists():
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", f"ws@{WS_VERSION}", "bufferutil"],
            cwd=BUILD,
            check=True,
        )


SERVERS: dict[str, list[str]] = {
    "ours": [sys.executable, "-m", "benchmarks.front.peer.ours"],
    "websockets": [sys.executable, "-m", "benchmarks.front.peer.broadcast"],
    "ws": ["node", str(HERE / "peer" / "ws.js")],
    "stock": [sys.executable, "-m", "benchmarks.front.peer.stock"],
    "starlette": [sys.executable, "-m", "benchmarks.front.peer.starlette_app"],
    "echo": [sys.executable, "-m", "benchmarks.front.peer.echo"],
    "floor": [str(BUILD / "floor")],
    "floor-py": [sys.executable, "-m", "benchmarks.front.peer.floor"],
}


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def server(name: str, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A running server, on the server's core; its port and process."""
    port = free_port()
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), *SERVERS[name], str(port), *arguments],
        cwd=ROOT,
        env={**os.environ, "NODE_PATH": str(BUILD / "node_modules")},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port, process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"the server on port {port} does not answer")


class Client:
    """The C client. It stops after connecting until it is told to go on."""

    def __init__(self, mode: str, port: int, *arguments: float) -> None:
        words = [str(BUILD / "fanclient"), mode, str(port), *map(str, arguments)]
        self._process = subprocess.Popen(
            ["taskset", "-c", str(CLIENT_CORE), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> dict[str, Any]:
        """The next line of figures. Raises RuntimeError when the client has failed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the client failed")
        figures: dict[str, Any] = json.loads(line)
        return figures

    def go_on(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.terminate()
        self._process.wait()


@contextlib.contextmanager
def client(mode: str, port: int, *arguments: float) -> Iterator[Client]:
    """A client that is gone at the end."""
    running = Client(mode, port, *arguments)
    try:
        yield running
    finally:
        running.close()


def rss_kib(process: subprocess.Popen[bytes]) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no such process")


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor time a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(process: subprocess.Popen[bytes]) -> int:
    """Open file descriptors of a process."""
    return len(os.listdir(f"/proc/{process.pid}/fd"))
