"""The server under measurement, on a core of its own, and what it uses of it."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SERVER_CORE, CLIENT_CORE = 0, 1
ROOT = Path(__file__).parents[2]


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    def cpu_seconds(self) -> float:
        """What the process has used so far, all its threads together."""
        return cpu_seconds(self._process.pid)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(folder: Path, settings: Sequence[str] = ()) -> Iterator[Server]:
    """`regserver serve` with the shipped password cost, no limits, its database in `folder`."""
    given = (
        "server.bind=127.0.0.1:0",
        "limits.enabled=false",
        "log.format=json",
        "live.source=none",
        f"store.url=sqlite:{folder / 'bench.db'}",
        *settings,
    )
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "regserver", "serve"]
    for setting in given:
        command += ["--set", setting]
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stderr=sink, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield Server(process, _wait_port(log, process))
    finally:
        process.terminate()
        process.wait(30)


def _wait_port(log: Path, process: subprocess.Popen[bytes]) -> int:
    while process.poll() is None:
        for line in log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                message = json.loads(line)["message"]
                if "is serving" in message:
                    return int(message.rpartition(":")[2])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise SystemExit(f"the server did not start:\n{log.read_text()}")
