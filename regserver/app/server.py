"""The server on its own front door: opening it, running it, and stopping it.

Nurseries: `open_assembly` has one for the background work, the front door one for connections, the broker one for its workers,
live registration one for its jobs. Each is closed after its users (docs/architecture.md).
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import trio

from regserver.app.assembly import assemble, open_assembly
from regserver.app.base import AppPart
from regserver.app.outside import SYSTEM, Outside
from regserver.app.reload import Certificate, Reloader, certificate_paths, prepare_log
from regserver.config import Loaded
from regserver.log import ProcessLog
from regserver.metric import FrontCounters
from regserver.service.operator.entry import EntryLink
from regserver.serving import Front, FrontLimits
from regserver.web.core import WebCore
from regserver.web.operations.departure import Departure


class App(msgspec.Struct, frozen=True):
    """A server that is ready to listen. front: its front door. core: its routes. whole: all its parts.

    departure: whether it was told to stop.
    """

    front: Front
    core: WebCore
    limits: FrontLimits
    loaded: Loaded
    whole: AppPart
    departure: Departure


@asynccontextmanager
async def open_app(
    loaded: Loaded, output: ProcessLog | None = None, outside: Outside = SYSTEM
) -> AsyncIterator[App]:
    """Opens the server. output: the log, if the server has one of its own. Raises ConfigFault, StoreFault, ServerKeyFault."""
    assembly = assemble(loaded, output, outside)
    core = assembly.core
    async with open_assembly(assembly) as whole:
        front = Front(
            dispatch=core.dispatcher.serve,
            admit=core.dispatcher.admit,
            socket=core.dispatcher.socket_endpoint,
            limits=assembly.limits,
            metrics=FrontCounters(assembly.web.metrics),
        )
        yield App(front, core, assembly.limits, loaded, whole, assembly.departure)


class Started(msgspec.Struct, frozen=True):
    """The server listens. urls: its addresses. link: the one-time link to the operator's page; None where the store is not empty."""

    urls: list[str]
    link: EntryLink | None = None


class _Teller(msgspec.Struct, frozen=True):
    """A task status that tells more than the addresses."""

    status: trio.TaskStatus[Started]
    link: EntryLink | None

    def started(self, value: list[str] | None = None) -> None:
        """The front door listens. value: its addresses."""
        self.status.started(Started(value or [], self.link))


class Control:
    """Requests to a running server. stop: requests an orderly stop. abort: ends its grace time.

    reloads: receives each request that the configuration be read again.
    """

    def __init__(self) -> None:
        self.stop = trio.Event()
        self.abort = trio.Event()
        self._reload, self.reloads = trio.open_memory_channel[None](1)

    def reload_nowait(self) -> None:
        """Requests that the configuration be read again; several requests before it happens count as one."""
        with contextlib.suppress(trio.WouldBlock):
            self._reload.send_nowait(None)


async def run_app(
    loaded: Loaded,
    configure: Callable[[], Loaded],
    binds: Iterable[str],
    control: Control,
    *,
    output: ProcessLog | None = None,
    task_status: trio.TaskStatus[Started] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `control` stops it. task_status: started once it listens.

    configure: reads the configuration at each reload. Raises the exceptions of open_app and Front.serve.
    """
    async with open_app(loaded, output) as app, trio.open_nursery() as nursery:
        closing, certificate = trio.Event(), Certificate(app.front, loaded)
        levels = () if output is None else (prepare_log(output),)
        reloader = Reloader(loaded, (certificate.prepare, *levels, *app.whole.reload))
        nursery.start_soon(_close, app, control, closing)
        nursery.start_soon(_abort, app, control)
        signalled = [take(partial(reloader.reload, configure)) for take in app.whole.reloads]
        nursery.start_soon(_run_reload, signalled, control)
        nursery.start_soon(certificate.run)
        tls = dict(zip(("tls_cert", "tls_key"), map(str, certificate_paths(loaded)), strict=False))
        link = next(filter(None, [await make() for make in app.whole.first_link]), None)
        teller = _Teller(task_status, link)
        await app.front.serve(list(binds), **tls, shutdown=closing, task_status=teller)
        nursery.cancel_scope.cancel()


async def _close(app: App, control: Control, closing: trio.Event) -> None:
    """Ends the live registrations first, so that observers get their FAILURE before the sockets close with 1001."""
    await control.stop.wait()
    if (drain := app.loaded.settings.server.drain.seconds) > 0:
        app.departure.is_near = True
        app.front.leave_nowait()
        with trio.move_on_after(drain):
            await control.abort.wait()
    for stop in app.whole.stop:
        await stop()
    closing.set()


async def _abort(app: App, control: Control) -> None:
    await control.abort.wait()
    app.front.abort_nowait()


async def _run_reload(signalled: Iterable[Callable[[], Awaitable[None]]], control: Control) -> None:
    """Reads the configuration again on request."""
    async for _ in control.reloads:
        for reload in signalled:
            await reload()
