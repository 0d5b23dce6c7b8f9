"""The product under measurement, started as an operator would: `regserver serve --set …`, on the servers' core."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.checkout import THIS, Checkout
from benchmarks.process import SERVER_CORE, Server, free_port, server

MODULE = "regserver"
SETTINGS = ("live.source=none", "limits.enabled=false", "log.level=error", "log.format=json")

UNBOUNDED = ("rooms.daily_posts=0", "rooms.daily_rooms=0", "rooms.daily_bytes=0")
"""What one person may do a day. A measurement does more in its minutes."""


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
    quotas: bool = False,
    core: int | str = SERVER_CORE,
) -> Iterator[Server]:
    """Runs the product.

    Args:
        store: Its database.
        settings: Settings beside SETTINGS, or in place of some.
        module: The module that is started, by the same command line.
        log: The file for its log; None for standard error.
        checkout: The version that is started.
        quotas: Whether one person's day is bounded as it is by default.
        core: The processor core it is kept on, or several.
    """
    port = free_port()
    if not quotas and _has_quotas(checkout):
        settings = (*UNBOUNDED, *settings)
    words = [checkout.python, "-m", module, *command_line(port, store, *settings)]
    with server(words, port, core=core, log=log, folder=checkout.folder) as running:
        yield running


def _has_quotas(checkout: Checkout) -> bool:
    return "daily_posts" in (checkout.folder / "regserver" / "config" / "setting.py").read_text()
