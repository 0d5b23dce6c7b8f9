"""The composition root: builds everything, in the order in which it depends on each other, and owns the root nursery.

    store → broker → adapters → services → doors → dispatcher → front door

Nurseries: the one here holds the background work and the front door. The front door has its own for connections, the
broker for the pumps of its rooms, live registration for its jobs; each is left after whatever uses it.
"""

import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import trio
from quart_trio import QuartTrio

from regserver import __version__
from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.captcha import build_captcha
from regserver.adapters.clock import SystemClock, SystemRandomness
from regserver.adapters.ledger import EmbeddedLedger, on_curve
from regserver.adapters.letters import LetterFault, TemplateLetters
from regserver.adapters.mail import build_mailer
from regserver.adapters.server_key import ServerKey, load_server_key
from regserver.adapters.sms import build_sms
from regserver.adapters.source import SOURCES
from regserver.broker.local import LocalBroker, open_local_broker
from regserver.config import ConfigFault, Loaded, Settings
from regserver.domain.contact import Pepper
from regserver.domain.event import Event, Standing
from regserver.endpoint import Frame, Session, SessionEndpoint
from regserver.metric import Metrics
from regserver.ports.adapter import Clock, PasswordHasher, Randomness
from regserver.ports.store import StoreFault
from regserver.service.account import AccountService
from regserver.service.delivery import Delivery, run_outbox
from regserver.service.directory import DirectoryService
from regserver.service.expiry import run_expiry
from regserver.service.identity import IdentityService
from regserver.service.live import LiveService, open_live
from regserver.service.onboarding import OnboardingService
from regserver.service.outbox import Outbox
from regserver.service.room import RoomService
from regserver.service.sign_in import SignInService
from regserver.service.step_code import StepCodes, StepsPolicy
from regserver.service.step_find import Finder
from regserver.service.steps import StepsService
from regserver.serving import Front, FrontLimits, asgi_sessions, text_frame
from regserver.store.sqlite import SqliteStore, open_sqlite
from regserver.web.account import AccountDoor
from regserver.web.client import OriginReader
from regserver.web.confirm import ConfirmDoor
from regserver.web.directory import DirectoryDoor
from regserver.web.dispatch import Dispatcher
from regserver.web.limit import LIMITS, Limits
from regserver.web.notification import encode_notification
from regserver.web.operation import Check, OperationDoor
from regserver.web.origin import OriginPolicy
from regserver.web.page import PageDoor
from regserver.web.quart_app import build_quart
from regserver.web.room import RoomDoor
from regserver.web.room_socket import RoomSocketDoor
from regserver.web.route import Route, Router, SocketRoute
from regserver.web.sign_in import SignInDoor
from regserver.web.steps import steps_routes

log = logging.getLogger("regserver")

GC_SECONDS = 60.0


class Base(msgspec.Struct, frozen=True):
    """What every door is built on."""

    loaded: Loaded
    store: SqliteStore
    broker: LocalBroker
    clock: Clock
    randomness: Randomness
    hasher: PasswordHasher
    key: ServerKey
    metrics: Metrics
    origins: OriginReader
    limits: Limits
    identity: IdentityService
    outbox: Outbox

    @property
    def settings(self) -> Settings:
        return self.loaded.settings


class Doors(msgspec.Struct, frozen=True):
    """What the doors hand over: routes, sockets, parts of readiness, background work, what a reload does."""

    routes: tuple[Route, ...] = ()
    sockets: tuple[SocketRoute, ...] = ()
    checks: Mapping[str, Check] = {}
    background: tuple[Callable[[], Any], ...] = ()
    stop: tuple[Callable[[], Awaitable[None]], ...] = ()


class App(msgspec.Struct, frozen=True):
    """A server that is ready to listen. stops: what must have its last word before the sockets close."""

    front: Front
    quart: QuartTrio
    router: Router
    settings: Settings
    stops: tuple[Callable[[], Awaitable[None]], ...]


@asynccontextmanager
async def open_app(loaded: Loaded) -> AsyncIterator[App]:
    """Builds the server. Raises ConfigFault, StoreFault, ServerKeyFault."""
    async with AsyncExitStack() as stack:
        base = await _open_base(stack, loaded)
        doors = [await open_door(stack, base) for open_door in DOORS]
        router, dispatcher = _build_web(base, doors)
        quart = build_quart(dispatcher.serve)
        socket = partial(_socket_endpoint, dispatcher)
        limits = _front_limits(base.settings)
        front = Front(
            app=quart, dispatch=dispatcher.serve, is_hot=router.is_hot, socket=socket, limits=limits
        )
        # The same sessions for whoever talks to the Quart app directly, such as its test client.
        quart.asgi_app = asgi_sessions(quart.asgi_app, socket, limits)  # type: ignore[method-assign,assignment]
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(run_expiry, base.store, base.clock)
        nursery.start_soon(_run_gc)
        for door in doors:
            for work in door.background:
                nursery.start_soon(work)
        stops = tuple(stop for door in doors for stop in door.stop)
        yield App(front, quart, router, base.settings, stops)
        nursery.cancel_scope.cancel()


async def _open_base(stack: AsyncExitStack, loaded: Loaded) -> Base:
    settings = loaded.settings
    metrics = Metrics()
    clock, randomness = SystemClock(), SystemRandomness()
    path = sqlite_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = await trio.to_thread.run_sync(load_server_key, path.with_suffix(".key"))
    store = await stack.enter_async_context(open_sqlite(path))
    broker = await stack.enter_async_context(open_local_broker(_frame, metrics.deliveries.inc))
    store.listen(broker.publish_nowait)
    hasher = Argon2Hasher(
        time_cost=settings.password.time_cost,
        memory=settings.password.memory,
        parallelism=settings.password.parallelism,
        max_memory=settings.password.max_memory,
    )
    identity = IdentityService(store, clock, randomness, settings.login.token_ttl)
    try:
        origins = OriginReader(settings.server.trusted_proxies, settings.server.public_url)
    except ValueError as error:
        raise ConfigFault(f"server.trusted_proxies: {error}") from None
    outbox = Outbox(clock, randomness, key.derive("outbox"))
    limits = _limits(settings)
    return Base(
        loaded, store, broker, clock, randomness, hasher, key, metrics, origins, limits, identity, outbox
    )


def sqlite_path(settings: Settings) -> Path:
    """The file of an embedded store. Raises ConfigFault for any other."""
    kind, _, path = settings.store.url.partition(":")
    if kind != "sqlite" or not path:
        raise ConfigFault('store.url: expected "sqlite:FILE"')
    return Path(path)


def _frame(event: Event, standing: Standing) -> Frame:
    return text_frame(encode_notification(event, standing))


async def _open_people(stack: AsyncExitStack, base: Base) -> Doors:
    """Sign-in, live registration and rooms: the doors that share tokens and sockets."""
    settings, store, clock = base.settings, base.store, base.clock
    source = SOURCES[settings.live.source](base.loaded, base.hasher)
    live = await stack.enter_async_context(
        open_live(
            LiveService(
                store,
                clock,
                base.randomness,
                base.identity,
                source,
                deadline=settings.live.deadline,
                replay=settings.live.replay,
                max_running=settings.live.max_running,
            )
        )
    )
    base.metrics.registrations.set_function(lambda: live.running)
    accounts = AccountService(
        store,
        clock,
        base.hasher,
        base.identity,
        base.broker,
        open_registration=settings.login.open_registration,
    )
    rooms = RoomService(store, clock, max_members=settings.rooms.max_members)
    sign_in = SignInService(store, clock, base.hasher, base.identity, live, source)
    sign_in_door = SignInDoor(sign_in, live, accounts, base.origins)
    socket_door = RoomSocketDoor(
        base.identity, rooms, base.broker, clock, query_token=settings.login.query_token
    )
    return Doors(
        routes=(
            *sign_in_door.routes(),
            *AccountDoor(accounts, base.identity).routes(),
            *RoomDoor(rooms).routes(),
        ),
        sockets=(*sign_in_door.sockets(), *socket_door.sockets()),
        stop=(live.stop,),
    )


async def _open_directory(stack: AsyncExitStack, base: Base) -> Doors:
    """The directory, and the delivery of every door's mail."""
    settings, store, clock = base.settings, base.store, base.clock
    mailer = build_mailer(settings.mail.smtp, settings.mail.from_)
    delivery = Delivery(store, base.outbox, mailer, clock)
    folder = base.loaded.beside(settings.mail.templates) if settings.mail.templates else None
    letters = TemplateLetters(folder, urlsplit(settings.server.public_url).hostname or "regserver")
    try:
        await trio.to_thread.run_sync(letters.check)
    except LetterFault as fault:
        raise ConfigFault(f"mail.templates: {fault}") from None
    directory = DirectoryService(
        store,
        clock,
        base.randomness,
        base.hasher,
        base.outbox,
        letters,
        servers=settings.directory.servers,
        reserved=settings.directory.reserved,
        pending_ttl=settings.directory.pending_ttl,
        reveal_existing=settings.directory.reveal_existing,
    )
    await directory.recount()
    door = DirectoryDoor(
        directory,
        base.origins,
        trusted_key=settings.directory.trusted_key,
        take_mail=partial(base.limits.take, "mail"),
    )
    return Doors(
        routes=(*door.routes(), *ConfirmDoor(directory).routes()),
        checks={"mail": delivery.check},
        background=(partial(run_outbox, delivery),),
    )


async def _open_steps(stack: AsyncExitStack, base: Base) -> Doors:
    """The registration by steps, with its providers."""
    settings, store, clock, randomness = base.settings, base.store, base.clock, base.randomness
    client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
    pepper = Pepper(settings.steps.pepper.encode() or base.key.derive("pepper"))
    policy = msgspec.structs.replace(
        msgspec.convert(settings.steps, StepsPolicy, from_attributes=True),
        bounded=settings.limits.enabled,
        text=settings.sms.text,
    )
    service = StepsService(
        store,
        clock,
        randomness,
        pepper,
        Finder(clock, pepper, require_token=policy.require_token),
        StepCodes(clock, randomness, pepper, base.outbox, policy),
        build_sms(settings.sms, client, randomness),
        build_captcha(settings.captcha, client),
        EmbeddedLedger(),
        policy,
    )
    return Doors(routes=steps_routes(service, OnboardingService(store, clock), on_curve))


async def _open_page(stack: AsyncExitStack, base: Base) -> Doors:
    """The web page, which uses the other doors like any client."""
    return Doors(routes=PageDoor(base.origins).routes())


DOORS = (_open_people, _open_directory, _open_steps, _open_page)
"""Each opens one group of doors; a new door is one more line."""


def _build_web(base: Base, doors: Iterable[Doors]) -> tuple[Router, Dispatcher]:
    async def store_check() -> str | None:
        try:
            await base.store.check()
        except StoreFault as fault:
            return str(fault)
        return None

    checks: dict[str, Check] = {"store": store_check}
    for door in doors:
        checks.update(door.checks)
    operations = OperationDoor(base.metrics, checks, __version__)
    router = Router(
        (*operations.routes(), *(route for door in doors for route in door.routes)),
        (socket for door in doors for socket in door.sockets),
    )
    settings = base.settings
    dispatcher = Dispatcher(
        router,
        base.limits,
        base.origins,
        OriginPolicy(settings.server.cors_origins),
        base.metrics,
        base.randomness,
    )
    return router, dispatcher


def _limits(settings: Settings) -> Limits:
    unknown = settings.limits.routes.keys() - LIMITS.keys()
    if unknown:
        raise ConfigFault(f"limits.routes: unknown {', '.join(sorted(unknown))}; known: {', '.join(LIMITS)}")
    try:
        return Limits(trio.current_time, enabled=settings.limits.enabled, overrides=settings.limits.routes)
    except ValueError as error:
        raise ConfigFault(f"limits.routes: {error}") from None


def _front_limits(settings: Settings) -> FrontLimits:
    return FrontLimits(
        connections=settings.server.max_connections,
        connections_per_address=settings.server.max_connections_per_address,
        queue_bytes=settings.rooms.socket_queue,
        grace_seconds=settings.server.grace.seconds,
    )


def _socket_endpoint(dispatcher: Dispatcher, path: str) -> SessionEndpoint | None:
    match = dispatcher.match_socket(path)
    if match is None:
        return None

    async def serve(session: Session) -> None:
        await dispatcher.serve_socket(session, match)

    return serve


async def _run_gc() -> None:
    """The objects of the start never die: kept out of the collector, and the rest looked at rarely but regularly.

    With many tasks alive the collector's young generation otherwise takes half the time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    while True:
        await trio.sleep(GC_SECONDS)
        gc.collect()


async def run_app(
    loaded: Loaded,
    binds: Iterable[str],
    shutdown: trio.Event,
    *,
    abort: trio.Event,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves until `shutdown`; `abort` ends the grace time. Started with the addresses. Raises what open_app and
    Front.serve raise."""
    async with open_app(loaded) as app, trio.open_nursery() as nursery:
        closing = trio.Event()
        nursery.start_soon(_close, app, shutdown, closing)
        nursery.start_soon(_abort, app, abort)
        server = app.settings.server
        await app.front.serve(
            list(binds),
            tls_cert=server.tls_cert,
            tls_key=server.tls_key,
            shutdown=closing,
            task_status=task_status,
        )
        nursery.cancel_scope.cancel()


async def _close(app: App, shutdown: trio.Event, closing: trio.Event) -> None:
    """Running registrations fail first, so that their observers read it before the sockets close with 1001."""
    await shutdown.wait()
    for stop in app.stops:
        await stop()
    closing.set()


async def _abort(app: App, abort: trio.Event) -> None:
    await abort.wait()
    app.front.abort_nowait()
