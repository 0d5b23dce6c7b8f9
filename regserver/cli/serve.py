"""`regserver serve`: runs the server, handles its signals, and notifies systemd and the person at the terminal."""

import argparse
import contextlib
import logging
import sys
from collections.abc import Callable
from functools import partial

import trio

from regserver import __version__
from regserver.adapters.server_key import ServerKeyFault
from regserver.app import Control, run_app, run_collector
from regserver.cli import NO_RIPEMD160, CommandFault, configuration
from regserver.config import ConfigFault, Loaded
from regserver.config.check import trial_settings
from regserver.config.show import mask_url
from regserver.domain.public_key import has_ripemd160
from regserver.group import unwrapped
from regserver.log import AccessLog, start_logging
from regserver.ports.store import StoreFault
from regserver.serving import AppFailed, BindError, UnsupportedLibrary
from regserver.serving.descriptor import connections_now, raise_limit
from regserver.serving.signal import run_signals
from regserver.serving.systemd import inherited_binds, run_watchdog, sd_notify

log = logging.getLogger("regserver")

REFUSALS = (BindError, UnsupportedLibrary, AppFailed)
"""Faults at the start of the front door; each message is one line for the operator."""


def run(chosen: argparse.Namespace) -> None:
    """Serves until a signal."""
    loaded = configuration(chosen)
    if not has_ripemd160():
        raise CommandFault(NO_RIPEMD160)
    access = start_logging(loaded.settings.log.level, loaded.settings.log.format)
    raise_limit(loaded.settings.server.max_connections)
    try:
        with unwrapped(*REFUSALS, ConfigFault, StoreFault, ServerKeyFault):
            trio.run(_serve, loaded, lambda: configuration(chosen), access)
    except REFUSALS as fault:
        raise CommandFault(str(fault)) from None


async def _serve(loaded: Loaded, configure: Callable[[], Loaded], access: AccessLog | None) -> None:
    control = Control()
    binds = inherited_binds() or list(loaded.settings.server.bind)
    async with trio.open_nursery() as nursery:
        stop, abort = control.stop.set, control.abort.set
        await nursery.start(partial(run_signals, stop=stop, abort=abort, reload=control.reload_nowait))
        nursery.start_soon(run_collector)
        async with trio.open_nursery() as serving:
            urls = await serving.start(partial(run_app, configure, binds, control, access=access))
            _greet(loaded, urls)
            sd_notify(READY=1, STATUS=f"serving {' '.join(urls)}")
            nursery.start_soon(run_watchdog)
            await control.stop.wait()
            sd_notify(STOPPING=1)
            log.info("stopping")
        nursery.cancel_scope.cancel()


def _greet(loaded: Loaded, urls: list[str]) -> None:
    """Logs the addresses, the store and the configuration; prints to a terminal what to try."""
    settings = loaded.settings
    fields = {"store": mask_url(settings.store.url), "config": str(loaded.file or "built-in")}
    log.info("regserver %s is serving %s", __version__, " ".join(urls), extra=fields)
    for warning in trial_settings(settings):
        log.warning(warning)
    possible, wanted = connections_now(), settings.server.max_connections
    if possible < wanted:
        log.warning(
            "server.max_connections is %d, but the limit on open files allows only %d", wanted, possible
        )
    if settings.log.format == "text" or (settings.log.format == "auto" and sys.stderr.isatty()):
        with contextlib.suppress(OSError):  # a log without a reader must not end the server
            print("\n".join(_suggestions(loaded, urls[0])), file=sys.stderr)


def _suggestions(loaded: Loaded, url: str) -> list[str]:
    lines = ["", f"  Open     {url}/"]
    if loaded.settings.live.source == "file":
        lines.append(f"  Sign in  as somebody from {loaded.resolve(loaded.settings.live.file.path)}")
    return [*lines, f"  Look at  {url}/health/ready", "  Stop     with Ctrl-C", ""]
