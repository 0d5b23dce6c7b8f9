"""The composition root: builds everything, in the order in which it depends on each other, and owns the root nursery.

    store → broker → adapters → services → doors → dispatcher → front door

Nurseries: the one here holds the background work and the front door. The front door has its own for connections, the
broker for the workers of its delivery queues, live registration for its jobs; each is left after whatever uses it.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import trio
from quart_trio import QuartTrio

from regserver import __version__
from regserver.app.assemble_directory import open_directory
from regserver.app.assemble_people import open_people
from regserver.app.assemble_steps import open_steps
from regserver.app.base import Base, Doors, open_base
from regserver.config import ConfigFault, Loaded, Settings
from regserver.log import AccessLog
from regserver.metric import FrontCounters
from regserver.ports.store import StoreFault
from regserver.service.expiry import run_expiry
from regserver.serving import Front, FrontLimits, asgi_sessions
from regserver.web.app import build_quart
from regserver.web.http.api_document import DocumentApi
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.dispatch import Dispatcher
from regserver.web.http.route import Router
from regserver.web.operations.endpoint import Check, OperationsApi
from regserver.web.site.page import PageApi

log = logging.getLogger("regserver")

LOOPBACK = ("127.0.0.0/8", "::1/128")


class App(msgspec.Struct, frozen=True):
    """A server that is ready to listen. stops, reloads: see Doors."""

    front: Front
    quart: QuartTrio
    router: Router
    settings: Settings
    stops: tuple[Callable[[], Awaitable[None]], ...]
    reloads: tuple[Callable[[Settings], Awaitable[None]], ...]


@asynccontextmanager
async def open_app(loaded: Loaded, access: AccessLog | None = None) -> AsyncIterator[App]:
    """Builds the server. access: where requests leave their lines. Raises ConfigFault, StoreFault, ServerKeyFault."""
    async with AsyncExitStack() as stack:
        base = await open_base(stack, loaded)
        doors = [await open_door(stack, base) for open_door in DOORS]
        router, dispatcher = _build_web(base, doors, access)
        limits = front_limits(base.settings)
        quart = build_quart(dispatcher.serve, limits.body_bytes)
        front = Front(
            app=quart,
            dispatch=dispatcher.serve,
            socket=dispatcher.socket_endpoint,
            limits=limits,
            metrics=FrontCounters(base.metrics),
        )
        # The same sessions for whoever talks to the Quart app directly, such as its test client.
        quart.asgi_app = asgi_sessions(quart.asgi_app, dispatcher.socket_endpoint, limits)  # type: ignore[method-assign,assignment]
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(run_expiry, base.store, base.clock)
        if access is not None:
            nursery.start_soon(access.run_flush)
        for door in doors:
            for work in door.background:
                nursery.start_soon(work)
        stops = tuple(stop for door in doors for stop in door.stop)
        reloads = tuple(reload for door in doors for reload in door.reload)
        yield App(front, quart, router, base.settings, stops, reloads)
        nursery.cancel_scope.cancel()


async def open_page(stack: AsyncExitStack, base: Base) -> Doors:
    """The web page, which uses the other doors like any client."""
    return Doors(routes=PageApi(base.forwarded).routes())


DOORS = (open_people, open_directory, open_steps, open_page)
"""Each opens one group of doors; a new door is one more module and one more name here."""


def _build_web(base: Base, doors: Iterable[Doors], access: AccessLog | None) -> tuple[Router, Dispatcher]:
    async def store_check() -> str | None:
        try:
            await base.store.check()
        except StoreFault as fault:
            return str(fault)
        return None

    checks: dict[str, Check] = {"store": store_check}
    for door in doors:
        checks.update(door.checks)
    routes = [*OperationsApi(base.metrics, checks, __version__).routes()]
    routes += [route for door in doors for route in door.routes]
    routes += DocumentApi(routes, __version__).routes()
    router = Router(routes, (socket for door in doors for socket in door.sockets))
    settings = base.settings
    dispatcher = Dispatcher(
        router,
        base.limits,
        base.forwarded,
        CorsPolicy(settings.server.cors_origins),
        base.metrics,
        access=access,
    )
    return router, dispatcher


def front_limits(settings: Settings) -> FrontLimits:
    """The bounds of the front door as configured."""
    server, bounds = settings.server, settings.server.bounds
    return FrontLimits(
        connections=server.max_connections,
        connections_per_address=server.max_connections_per_address,
        target_bytes=bounds.target,
        head_bytes=bounds.head,
        header_count=bounds.header_count,
        body_bytes=bounds.body,
        message_bytes=bounds.message,
        tls_seconds=bounds.tls_timeout.seconds,
        head_seconds=bounds.head_timeout.seconds,
        body_seconds=bounds.body_timeout.seconds,
        idle_seconds=bounds.idle_timeout.seconds,
        write_seconds=bounds.write_timeout.seconds,
        ping_seconds=bounds.ping_interval.seconds,
        pong_seconds=bounds.pong_timeout.seconds,
        queue_bytes=settings.rooms.socket_queue,
        grace_seconds=server.grace.seconds,
        # Behind a proxy all clients come from its one address.
        exempt_networks=(*LOOPBACK, *(p for p in server.trusted_proxies if p != "unix")),
    )


class Control:
    """What the outside asks of a running server. Every method may be called at any time and never blocks."""

    def __init__(self) -> None:
        self._stop = trio.Event()
        self._abort = trio.Event()
        self._ask, self._asked = trio.open_memory_channel[None](1)

    def stop_nowait(self) -> None:
        """Asks for an orderly end."""
        self._stop.set()

    def abort_nowait(self) -> None:
        """Ends the grace time of an end that was asked for."""
        self._abort.set()

    def reload_nowait(self) -> None:
        """Asks for the configuration to be read again; asking twice before it happens is asking once."""
        with contextlib.suppress(trio.WouldBlock):
            self._ask.send_nowait(None)

    async def wait_stop(self) -> None:
        await self._stop.wait()

    async def wait_abort(self) -> None:
        await self._abort.wait()

    async def wait_reload(self) -> None:
        await self._asked.receive()


async def run_app(
    configure: Callable[[], Loaded],
    binds: Iterable[str],
    control: Control,
    *,
    access: AccessLog | None = None,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `control` says otherwise. Started with the addresses.

    configure: reads the configuration, now and at each reload. Raises what it, open_app and Front.serve raise.
    """
    async with open_app(configure(), access) as app, trio.open_nursery() as nursery:
        closing = trio.Event()
        nursery.start_soon(_close, app, control, closing)
        nursery.start_soon(_abort, app, control)
        nursery.start_soon(_run_reload, app, control, configure)
        server = app.settings.server
        await app.front.serve(
            list(binds),
            tls_cert=server.tls_cert,
            tls_key=server.tls_key,
            shutdown=closing,
            task_status=task_status,
        )
        nursery.cancel_scope.cancel()


async def _close(app: App, control: Control, closing: trio.Event) -> None:
    """Running registrations fail first, so that their observers read it before the sockets close with 1001."""
    await control.wait_stop()
    for stop in app.stops:
        await stop()
    closing.set()


async def _abort(app: App, control: Control) -> None:
    await control.wait_abort()
    app.front.abort_nowait()


async def _run_reload(app: App, control: Control, configure: Callable[[], Loaded]) -> None:
    """A configuration that cannot be used is told and changes nothing."""
    while True:
        await control.wait_reload()
        try:
            settings = configure().settings
        except ConfigFault as fault:
            log.error("not reloaded: %s", fault)
            continue
        for reload in app.reloads:
            await reload(settings)
        log.info("reloaded")
