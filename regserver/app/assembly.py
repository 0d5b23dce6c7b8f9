"""Opens everything behind the web app, adds the routes to it, and runs the background work.

store → broker → adapters → services → doors → routes
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import trio

from regserver import __version__
from regserver.app.app_part import AppPart
from regserver.app.assemble_directory import open_directory
from regserver.app.assemble_people import open_people
from regserver.app.assemble_steps import open_steps
from regserver.app.assemble_web import build_web_parts
from regserver.app.base import Base, open_base
from regserver.config import Loaded, Settings
from regserver.log import AccessLog
from regserver.ports.store import StoreFault
from regserver.service.expiry import run_expiry
from regserver.serving import FrontLimits
from regserver.web.app import WebApp, create_app
from regserver.web.http.dispatch import WebParts
from regserver.web.http.document import DocumentApi
from regserver.web.operations.endpoint import Check, OperationsApi
from regserver.web.site.page import PageApi

LOOPBACK = ("127.0.0.0/8", "::1/128")


class Assembly(msgspec.Struct, frozen=True):
    """An app whose back ends are not open yet. access: the access log, or None."""

    loaded: Loaded
    web: WebParts
    limits: FrontLimits
    app: WebApp
    access: AccessLog | None


class Opened(msgspec.Struct, frozen=True):
    """The functions that stop and reload an open app: see AppPart."""

    stops: tuple[Callable[[], Awaitable[None]], ...]
    reloads: tuple[Callable[[Settings], Awaitable[None]], ...]


async def open_page(stack: AsyncExitStack, base: Base) -> AppPart:
    """The web page, a client of the other doors."""
    return AppPart(routes=PageApi(base.web.forwarded).routes())


PARTS = (open_people, open_directory, open_steps, open_page)
"""Each opens one group of doors. A new group is a module and a name here."""


def assemble(loaded: Loaded, access: AccessLog | None) -> Assembly:
    """Builds the app, without routes yet. access: the access log, or None. Raises ConfigFault."""
    web, limits = build_web_parts(loaded.settings, access), front_limits(loaded.settings)
    return Assembly(loaded, web, limits, create_app(web, limits), access)


@asynccontextmanager
async def open_assembly(assembly: Assembly) -> AsyncIterator[Opened]:
    """Opens the back ends and adds the routes. Raises ConfigFault, StoreFault, ServerKeyFault."""
    async with AsyncExitStack() as stack:
        base = await open_base(stack, assembly.loaded, assembly.web)
        parts = [await open_part(stack, base) for open_part in PARTS]
        _add_routes(assembly.app, base, parts)
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(run_expiry, base.store, base.clock)
        if assembly.access is not None:
            nursery.start_soon(assembly.access.run_flush)
        for part in parts:
            for work in part.background:
                nursery.start_soon(work)
        stops = tuple(stop for part in parts for stop in part.stop)
        yield Opened(stops, tuple(reload for part in parts for reload in part.reload))
        nursery.cancel_scope.cancel()


def _add_routes(app: WebApp, base: Base, parts: list[AppPart]) -> None:
    async def store_check() -> str | None:
        try:
            await base.store.check()
        except StoreFault as fault:
            return str(fault)
        return None

    checks: dict[str, Check] = {"store": store_check}
    for part in parts:
        checks.update(part.checks)
    routes = [*OperationsApi(base.metrics, checks, __version__).routes()]
    routes += [route for part in parts for route in part.routes]
    sockets = [socket for part in parts for socket in part.sockets]
    routes += DocumentApi(routes, sockets, base.web.limits.rates, __version__).routes()
    app.add_routes(routes, sockets)


def front_limits(settings: Settings) -> FrontLimits:
    """The front door's configured bounds."""
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
        # All clients of a proxy have its address.
        exempt_networks=(*LOOPBACK, *(p for p in server.trusted_proxies if p != "unix")),
    )
