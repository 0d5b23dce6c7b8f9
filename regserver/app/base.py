"""What every door is built on: store, broker, keys, clocks, limits. And what a door hands back."""

import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
import trio

from regserver.adapters.argon2_hasher import build_hasher
from regserver.adapters.clock import SystemClock, SystemRandomness
from regserver.adapters.jinja_mail import MailTemplateFault, load_mail_templates
from regserver.adapters.server_key import ServerKey, load_server_key, server_key_file
from regserver.broker.local import open_local_broker
from regserver.config import ConfigFault, Loaded, Settings, sqlite_file
from regserver.domain.cursor import CursorSeal
from regserver.domain.room_event import Audience, RoomEvent
from regserver.endpoint import Frame
from regserver.log import AccessLog
from regserver.metric import Metrics
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.service.identity_service import IdentityService
from regserver.service.outbox import Outbox
from regserver.serving import broadcast_nowait, text_frame
from regserver.store.sqlite import open_sqlite
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.dispatch import WebParts
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.rate_limit import LIMITS, RateLimits
from regserver.web.http.route import Route, SocketRoute
from regserver.web.operations.endpoint import Check
from regserver.web.rooms.notification import encode_notification, encode_resumable


class Base(msgspec.Struct, frozen=True):
    """What every door is built on."""

    loaded: Loaded
    store: Store
    broker: Broker
    node: str
    clock: Clock
    randomness: Randomness
    hasher: PasswordHasher
    key: ServerKey
    web: WebParts
    identity: IdentityService
    outbox: Outbox
    mail_templates: MailTemplates
    seal: CursorSeal

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self.loaded.settings

    @property
    def metrics(self) -> Metrics:
        """Where the doors count."""
        return self.web.metrics


class Doors(msgspec.Struct, frozen=True):
    """What the doors hand over.

    checks: parts of readiness. background: work that runs as long as the server. stop: what must have its last word
    before the sockets close. reload: takes changed settings into use; what it does not take needs a restart.
    """

    routes: tuple[Route, ...] = ()
    sockets: tuple[SocketRoute, ...] = ()
    checks: Mapping[str, Check] = {}
    background: tuple[Callable[[], Any], ...] = ()
    stop: tuple[Callable[[], Awaitable[None]], ...] = ()
    reload: tuple[Callable[[Settings], Awaitable[None]], ...] = ()


async def open_base(stack: AsyncExitStack, loaded: Loaded, web: WebParts) -> Base:
    """Opens store and broker. web: see build_web_parts. Raises ConfigFault, StoreFault, ServerKeyFault."""
    settings = loaded.settings
    clock, randomness = SystemClock(), SystemRandomness()
    path = sqlite_file(settings.store.url)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = await trio.to_thread.run_sync(load_server_key, server_key_file(path))
    store = await stack.enter_async_context(open_sqlite(path))
    seal = CursorSeal(key.derive("cursor"))
    resumable = partial(_resumable_frame, seal)
    broker = await stack.enter_async_context(
        open_local_broker(_frame, resumable, broadcast_nowait, web.metrics.deliveries.inc, clock)
    )
    store.listen(broker.publish_nowait)
    hasher = build_hasher(settings.password)
    identity = IdentityService(store, clock, randomness, settings.login.token_ttl)
    outbox = Outbox(clock, randomness, key.derive("outbox"))
    mail_templates = await trio.to_thread.run_sync(build_mail_templates, loaded)
    return Base(
        loaded,
        store,
        broker,
        settings.node.name or socket.gethostname(),
        clock,
        randomness,
        hasher,
        key,
        web,
        identity,
        outbox,
        mail_templates,
        seal,
    )


def _frame(event: RoomEvent, audience: Audience) -> Frame:
    return text_frame(encode_notification(event, audience))


def _resumable_frame(seal: CursorSeal, event: RoomEvent, audience: Audience) -> Frame:
    return text_frame(encode_resumable(event, audience, seal))


def build_mail_templates(loaded: Loaded) -> MailTemplates:
    """The mails, with the operator's own templates, all tried out. Raises ConfigFault."""
    settings = loaded.settings
    folder = loaded.resolve(settings.mail.templates) if settings.mail.templates else None
    try:
        return load_mail_templates(folder, urlsplit(settings.server.public_url).hostname or "regserver")
    except MailTemplateFault as fault:
        raise ConfigFault(f"mail.templates: {fault}") from None


def build_web_parts(settings: Settings, access: AccessLog | None) -> WebParts:
    """What every request passes. access: where each leaves its line. Raises ConfigFault."""
    return WebParts(
        build_limits(settings),
        ForwardedReader(settings.server.trusted_proxies, settings.server.public_url),
        CorsPolicy(settings.server.cors_origins),
        Metrics(),
        access,
    )


def build_limits(settings: Settings) -> RateLimits:
    """The table of limits with the operator's rates. Raises ConfigFault."""
    unknown = settings.limits.routes.keys() - LIMITS.keys()
    if unknown:
        raise ConfigFault(f"limits.routes: unknown {', '.join(sorted(unknown))}; known: {', '.join(LIMITS)}")
    try:
        return RateLimits(time.monotonic, enabled=settings.limits.enabled, overrides=settings.limits.routes)
    except ValueError as error:
        raise ConfigFault(f"limits.routes: {error}") from None
