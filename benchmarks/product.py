"""The product under measurement, started as an operator would: `regserver serve --set …`, on the servers' core."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.process import Server, free_port, server

MODULE = "regserver"
SETTINGS = ("live.source=none", "limits.enabled=false", "log.level=error", "log.format=json")


def command_line(port: int, store: Path, *settings: str) -> list[str]:
    """The words behind `regserver`. store: its database. settings: beside SETTINGS, or in place of some."""
    words = ["serve"]
    for setting in (f"server.bind=127.0.0.1:{port}", f"store.url=sqlite:{store}", *SETTINGS, *settings):
        words += ["--set", setting]
    return words


@contextlib.contextmanager
def product(store: Path, *settings: str, module: str = MODULE, log: Path | None = None) -> Iterator[Server]:
    """module: started in its place, by the same command line. log: where its log goes; None: to standard error."""
    port = free_port()
    words = [sys.executable, "-m", module, *command_line(port, store, *settings)]
    with server(words, port, log=log) as running:
        yield running
