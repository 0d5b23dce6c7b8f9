"""Servers under measurement as processes, and what the system knows of them.

Servers have one core and clients the other, so that neither takes time from what is measured of the other. A server
is waited for when it starts, and has a bounded time to end.
"""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
BUILD = ROOT / "build"
SERVER_CORE, CLIENT_CORE = 0, 1
EVERY_CORE = "0,1"
"""For what is measured beside other servers, PostgreSQL's among them: the system deals out the cores."""
Words = Sequence[str | float | Path]

START_SECONDS = 20.0
STOP_SECONDS = 30.0


class Server:
    """A process that serves on a port of 127.0.0.1."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self.port = port

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Processor time used so far, its own and the kernel's for it: steadier than a clock on a shared machine."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self) -> float:
        """Resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> float:
        """Asks it to end; seconds until it has. One that takes too long is killed."""
        started = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.monotonic() - started

    def wait_ready(self) -> None:
        """Until it accepts. Raises RuntimeError when it ends before, or takes too long."""
        end = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._process.args!r} does not serve")


@contextlib.contextmanager
def server(
    words: Words, port: int, *, core: int | str = SERVER_CORE, log: Path | None = None, folder: Path = ROOT
) -> Iterator[Server]:
    """Runs a command that serves on `port`.

    Args:
        words: The command.
        port: The port on which it will accept.
        core: The processor core it is kept on, or several.
        log: The file for its standard error; None for this process's own.
        folder: The folder it runs in.
    """
    raise_descriptor_limit()
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(log.open("wb")) if log else None
        process = subprocess.Popen(on_core(core, words), cwd=folder, stdout=subprocess.DEVNULL, stderr=sink)
        running = Server(process, port)
        stack.callback(running.stop)
        running.wait_ready()
        yield running


def on_core(core: int | str, words: Words) -> list[str]:
    """The command, kept on one core, or on several."""
    return ["taskset", "-c", str(core), *map(str, words)]


def raise_descriptor_limit() -> None:
    """As far as one may, for this process and those that it starts: every socket is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a database, on a disk, since that is part of what is measured; gone at the end."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        yield Path(folder)


def compiled(source: Path) -> Path:
    """The program that a C file makes, under build/; compiled when it, or what the clients share, has changed."""
    binary = BUILD / source.parent.name / source.stem
    binary.parent.mkdir(parents=True, exist_ok=True)
    newest = max(path.stat().st_mtime for path in (source, HERE / "client.h"))
    if not binary.exists() or binary.stat().st_mtime < newest:
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", binary, source], check=True)
    return binary
