"""The product under measurement, started as an operator would: `regserver serve --set …`, on the servers' core."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.checkout import THIS, Checkout
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
def product(
    store: Path,
    *settings: str,
    module: str = MODULE,
    log: Path | None = None,
    checkout: Checkout = THIS,
) -> Iterator[Server]:
    """Runs the product.

    Args:
        store: Its database.
        settings: Settings beside SETTINGS, or in place of some.
        module: The module that is started, by the same command line.
        log: The file for its log; None for standard error.
        checkout: The version that is started.
    """
    port = free_port()
    words = [checkout.python, "-m", module, *command_line(port, store, *settings)]
    with server(words, port, log=log, folder=checkout.folder) as running:
        yield running
