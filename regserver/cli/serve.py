"""`regserver serve`: runs the server, handles its signals, and notifies systemd and the person at the terminal."""

import argparse
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import trio

from regserver import __version__
from regserver.adapters.server_key import ServerKeyFault
from regserver.adapters.source.descendant import become_reaper
from regserver.app import Control, Started, give_back, run_app, run_collector
from regserver.app.preflight import checked
from regserver.cli import NO_RIPEMD160, CommandFault, reading
from regserver.config import ConfigFault, Loaded, SqlitePlace, StorePlace, store_place
from regserver.config.check import trial_settings
from regserver.domain.public_key import has_ripemd160
from regserver.group import unwrapped
from regserver.log import ProcessLog, log_file, log_interpreter, start_logging
from regserver.log.line import to_json, utc_millis
from regserver.ports.store import StoreFault
from regserver.serving import BindError, UnsupportedLibrary
from regserver.serving.descriptor import connections_now, raise_limit
from regserver.serving.signal import Terminal, run_signals
from regserver.serving.systemd import inherited_binds, run_watchdog, sd_notify
from regserver.store.sqlite import note_addresses

log = logging.getLogger("regserver")

REFUSALS = (BindError, UnsupportedLibrary)
"""Faults at the start of the front door; each message is one line for the operator."""


def run(chosen: argparse.Namespace) -> None:
    """Serves until a signal."""
    loaded = checked(reading(chosen))
    if not has_ripemd160():
        raise CommandFault(NO_RIPEMD160)
    output = _start_log(loaded)
    become_reaper()
    raise_limit(loaded.settings.server.max_connections)
    try:
        with unwrapped(*REFUSALS, ConfigFault, StoreFault, ServerKeyFault):
            trio.run(_serve, loaded, lambda: checked(reading(chosen)), output)
    except REFUSALS as fault:
        raise CommandFault(str(fault)) from None
    finally:
        if not output.close():  # the reader has stalled, and whatever is printed now would wait for it
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _start_log(loaded: Loaded) -> ProcessLog:
    settings = loaded.settings.log
    try:
        target = log_file(loaded.resolve(settings.file)) if settings.file else None
    except OSError as error:
        raise ConfigFault(f"log.file: {error.filename}: {error.strerror}") from None
    output = start_logging(settings.level, settings.format, target)
    log_interpreter()
    return output


def _signal_actions(control: Control, output: ProcessLog) -> dict[signal.Signals, Callable[[], None]]:
    terminal = Terminal()

    def hang_up() -> None:
        if terminal.has_gone():
            control.stop.set()
        else:
            output.reopen_nowait()
            control.reload_nowait()

    return {
        signal.SIGHUP: hang_up,
        signal.SIGUSR1: output.reopen_nowait,  # as other servers do
        signal.SIGUSR2: lambda: None,  # its default would end the process
    }


async def _serve(loaded: Loaded, configure: Callable[[], Loaded], output: ProcessLog) -> None:
    control = Control()
    actions = _signal_actions(control, output)
    binds = inherited_binds() or list(loaded.binds)
    async with trio.open_nursery() as nursery:
        stop, abort = control.stop.set, control.abort.set
        await nursery.start(partial(run_signals, stop=stop, abort=abort, others=actions))
        nursery.start_soon(run_collector)
        async with trio.open_nursery() as serving:
            started = await serving.start(partial(run_app, loaded, configure, binds, control, output=output))
            _note(loaded, started.urls)
            _greet(loaded, started, output)
            sd_notify(READY=1, STATUS=f"serving {' '.join(started.urls)}")
            give_back()
            nursery.start_soon(run_watchdog)
            await control.stop.wait()
            sd_notify(STOPPING=1)
            log.info("stopping")
        nursery.cancel_scope.cancel()


def _note(loaded: Loaded, urls: Iterable[str]) -> None:
    """Writes down where this server listens: commands find it there when its settings have changed since."""
    place, scheme = store_place(loaded), "https" if loaded.settings.server.tls_cert else "http"
    if isinstance(place, SqlitePlace):
        binds = (url.removeprefix(f"{scheme}://") for url in urls)
        with suppress(OSError):  # they look at the addresses of the configuration then
            note_addresses(place.database, (f"{scheme} {bind}" for bind in binds))


def _greet(loaded: Loaded, started: Started, output: ProcessLog) -> None:
    """Logs the addresses, the store and the configuration; prints to a terminal what to try."""
    settings, urls = loaded.settings, started.urls
    fields = {"store": _named(store_place(loaded)), "config": str(loaded.file or "built-in")}
    log.info("regserver %s is serving %s", __version__, " ".join(urls), extra=fields)
    for warning in trial_settings(settings):
        log.warning(warning)
    possible, wanted = connections_now(), settings.server.max_connections
    if possible < wanted:
        log.warning(
            "server.max_connections is %d, but the limit on open files allows only %d", wanted, possible
        )
    link = _link(loaded, started)
    if output.text:
        output.print("\n".join(_suggestions(loaded, urls[0], link)))
    elif link is not None:  # past the formatter, which would remove the secret
        message = f"the operator's page, once within an hour: {link}"
        line = {"at": utc_millis(time.time()), "level": "info", "logger": log.name, "message": message}
        output.print(to_json(line))


def _link(loaded: Loaded, started: Started) -> str | None:
    """The one-time link to the operator's page."""
    if started.link is None:
        return None
    return started.link.address(loaded.settings.server.public_url or started.urls[0])


def _named(place: StorePlace) -> str:
    return f"sqlite:{place}" if isinstance(place, SqlitePlace) else str(place)


def _suggestions(loaded: Loaded, url: str, link: str | None) -> list[str]:
    lines = ["", f"  Open     {url}/"]
    if link is not None:
        lines.append(f"  Operate  {link}  (once, within an hour)")
    if loaded.settings.live.source == "file":
        lines.append(f"  Sign in  as somebody from {loaded.resolve(loaded.settings.live.file.path)}")
    return [*lines, f"  Look at  {url}/health/ready", "  Stop     with Ctrl-C", ""]
