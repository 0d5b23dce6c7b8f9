"""Opens everything that stands behind the web app, puts its routes on it, and runs the background work.

store → broker → adapters → services → doors → routes
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import trio

from regserver import __version__
from regserver.app.assemble_directory import open_directory
from regserver.app.assemble_people import open_people
from regserver.app.assemble_steps import open_steps
from regserver.app.base import Base, Doors, build_web_parts, open_base
from regserver.config import Loaded, Settings
from regserver.log import AccessLog
from regserver.ports.store import StoreFault
from regserver.service.expiry import run_expiry
from regserver.serving import FrontLimits
from regserver.web.app import WebApp, create_app
from regserver.web.http.api_document import DocumentApi
from regserver.web.http.dispatch import WebParts
from regserver.web.operations.endpoint import Check, OperationsApi
from regserver.web.site.page import PageApi

LOOPBACK = ("127.0.0.0/8", "::1/128")


class Assembly(msgspec.Struct, frozen=True):
    """An app before anything is opened behind it. access: where requests leave their lines."""

    loaded: Loaded
    web: WebParts
    limits: FrontLimits
    app: WebApp
    access: AccessLog | None


class Opened(msgspec.Struct, frozen=True):
    """What runs behind an app. stops, reloads: see Doors."""

    stops: tuple[Callable[[], Awaitable[None]], ...]
    reloads: tuple[Callable[[Settings], Awaitable[None]], ...]


async def open_page(stack: AsyncExitStack, base: Base) -> Doors:
    """The web page, which uses the other doors like any client."""
    return Doors(routes=PageApi(base.web.forwarded).routes())


DOORS = (open_people, open_directory, open_steps, open_page)
"""Each opens one group of doors; a new door is one more module and one more name here."""


def assemble(loaded: Loaded, access: AccessLog | None) -> Assembly:
    """Builds the app, still without routes. access: where requests leave their lines. Raises ConfigFault."""
    web, limits = build_web_parts(loaded.settings, access), front_limits(loaded.settings)
    return Assembly(loaded, web, limits, create_app(web, limits), access)


@asynccontextmanager
async def opened(assembly: Assembly) -> AsyncIterator[Opened]:
    """Opens all that the app's routes need, and adds them to it. Raises ConfigFault, StoreFault, ServerKeyFault."""
    async with AsyncExitStack() as stack:
        base = await open_base(stack, assembly.loaded, assembly.web)
        doors = [await open_door(stack, base) for open_door in DOORS]
        _add_routes(assembly.app, base, doors)
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(run_expiry, base.store, base.clock)
        if assembly.access is not None:
            nursery.start_soon(assembly.access.run_flush)
        for door in doors:
            for work in door.background:
                nursery.start_soon(work)
        stops = tuple(stop for door in doors for stop in door.stop)
        yield Opened(stops, tuple(reload for door in doors for reload in door.reload))
        nursery.cancel_scope.cancel()


def _add_routes(app: WebApp, base: Base, doors: list[Doors]) -> None:
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
    app.add_routes(routes, [socket for door in doors for socket in door.sockets])


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
