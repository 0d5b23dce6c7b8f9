"""The addresses that the server listens at: free, taken, or served by the server itself, which is then asked."""

import errno
import os
from collections.abc import Iterator

import trio

from regserver import __version__
from regserver.cli.running import running_server
from regserver.config import Loaded
from regserver.domain.finding import Finding, Level
from regserver.serving import BindError, FrontLimits
from regserver.serving.listener import open_listeners


def check_addresses(loaded: Loaded) -> Iterator[Finding]:
    """Each address of server.bind."""
    for bind in loaded.binds:
        if bind.startswith("fd:"):  # only a process started by systemd has it
            continue
        try:
            trio.run(_listen, bind)
        except BindError as error:
            yield from _taken(loaded, bind, error)
        else:
            yield Finding("ok", f"{bind} is free")


def _taken(loaded: Loaded, bind: str, error: BindError) -> Iterator[Finding]:
    """A running server of ours may have the address: its own findings."""
    in_use = error.reason == os.strerror(errno.EADDRINUSE)
    found = running_server(loaded, bind) if in_use else None
    if found is None:
        yield Finding("fail", str(error))
        return
    yield Finding("ok", f"{bind} is served by a running server, which is {found.status}")
    if found.version and found.version != __version__:
        yield Finding("hint", f"it is regserver {found.version}, and this is {__version__}: restart it")
    level: Level = "fail" if found.status == "not ready" else "hint"
    yield from (Finding(level, f"{part}: {fault}") for part, fault in found.parts.items() if fault != "ok")


async def _listen(bind: str) -> None:
    """Listens as `serve` would, and stops again."""
    for listener in await open_listeners([bind], FrontLimits(), tls=False):
        listener.close()
