"""Taking other settings while the server runs: all that can be taken, or none.

    read       the whole configuration, with every check of a start
    divide     settings that are taken at once, and those that need a restart, which stay as they are
    prepare    in every part; whatever can fail fails here
    settle     in the store
    apply      all parts in one step of the event loop

Certificates are also taken when their files change, as a program that renews them does without a word to the server.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import trio

from regserver.app.part_reload import Prepare, Prepared
from regserver.config import ConfigFault, Loaded
from regserver.config.check import faults
from regserver.config.fault import fault_lines
from regserver.config.reloadable import change
from regserver.log import ProcessLog
from regserver.ports.store import StoreFault
from regserver.service.operator.server import ReloadOutcome
from regserver.serving import BindError, Front

log = logging.getLogger("regserver")

LOOK_SECONDS = 2.0
"""How often the files of the certificate are looked at."""


class Reloader:
    """loaded: the configuration in force, at first that of the start. parts: see `app.part_reload`."""

    def __init__(self, loaded: Loaded, parts: Sequence[Prepare]) -> None:
        self.loaded = loaded
        self._parts = parts
        self._one_by_one = trio.Lock()

    async def reload(self, configure: Callable[[], Loaded]) -> ReloadOutcome:
        """Reads the configuration again. What is wrong with it is logged, and then the server runs on as before."""
        async with self._one_by_one:
            try:
                return await self._take(await trio.to_thread.run_sync(configure))
            except ConfigFault as fault:
                faults = tuple(map(str, fault.faults))
            except StoreFault as fault:
                faults = (str(fault),)
            for line in faults:
                log.error("not reloaded: %s", line)
            return ReloadOutcome(faults=faults)

    async def _take(self, new: Loaded) -> ReloadOutcome:
        """Raises ConfigFault, StoreFault."""
        changed = change(self.loaded.settings, new.settings)
        loaded = msgspec.structs.replace(new, settings=changed.settings)
        _refuse_mixture(loaded, changed.needs_restart)
        prepared = [await prepare(loaded) for prepare in self._parts]
        for each in prepared:
            await each.settle()
        for each in prepared:
            each.apply()
        self.loaded = loaded
        for name in changed.needs_restart:
            log.warning("%s has changed, which needs a restart", name)
        log.info("reloaded", extra={"changed": " ".join(changed.taken)} if changed.taken else {})
        return ReloadOutcome(tuple(changed.taken), tuple(changed.needs_restart))


def _refuse_mixture(loaded: Loaded, waiting: Sequence[str]) -> None:
    """Settings that are taken may need others that are not. Raises ConfigFault."""
    expected = [
        (keys, f"expected {text}, before {', '.join(waiting)} at a restart")
        for keys, text in faults(loaded.settings)
    ]
    if expected:
        raise ConfigFault(*fault_lines(expected, loaded.origins, loaded.file))


def prepare_log(output: ProcessLog) -> Prepare:
    """The level of the log."""

    async def prepare(loaded: Loaded) -> Prepared:
        return Prepared(lambda: output.take_level(loaded.settings.log.level))

    return prepare


class Certificate:
    """The certificate of a front door that serves TLS. paths: of the chain and the key in force."""

    def __init__(self, front: Front, loaded: Loaded) -> None:
        self._front = front
        self._paths = certificate_paths(loaded)
        self._seen = _look(self._paths)

    async def prepare(self, loaded: Loaded) -> Prepared:
        """Reads the files that the settings name. Raises ConfigFault."""
        paths = certificate_paths(loaded)
        if not paths:
            return Prepared()
        seen = _look(paths)
        try:
            context = await trio.to_thread.run_sync(self._front.load_tls, str(paths[0]), str(paths[1]))
        except BindError as error:
            raise ConfigFault(f"server.tls_cert: {error.address}: {error.reason}") from None

        def apply() -> None:
            self._paths, self._seen = paths, seen
            self._front.take_tls(context)

        return Prepared(apply)

    async def run(self) -> None:
        """Takes the files when they change, until cancelled. A chain whose key is still to come is tried at the next change."""
        while self._paths:
            await trio.sleep(LOOK_SECONDS)
            if (seen := _look(self._paths)) == self._seen:
                continue
            self._seen = seen
            try:
                context = await trio.to_thread.run_sync(
                    self._front.load_tls, str(self._paths[0]), str(self._paths[1])
                )
            except BindError as error:
                log.error("the certificate has changed and is not taken: %s: %s", error.address, error.reason)
            else:
                self._front.take_tls(context)
                log.info("the certificate has changed and is taken")


def certificate_paths(loaded: Loaded) -> tuple[Path, ...]:
    """The files of the chain and its key; none without TLS."""
    server = loaded.settings.server
    return (loaded.resolve(server.tls_cert), loaded.resolve(server.tls_key)) if server.tls_cert else ()


def _look(paths: Sequence[Path]) -> list[tuple[int, int, int] | None]:
    """What tells that a file was changed, or that another one is in its place."""
    return [_stamp(path) for path in paths]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
