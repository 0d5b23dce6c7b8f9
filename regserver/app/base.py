"""The common base of all doors: store, broker, keys, clock, mail; and the form of a group of doors."""

import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
import trio

from regserver.adapters.argon2_hasher import build_hasher
from regserver.adapters.derived_key import build_pepper
from regserver.adapters.late_mail import find_mail_templates
from regserver.adapters.server_key import ServerKey
from regserver.app.captcha_gate import CaptchaGate, open_captcha
from regserver.app.frame_making import frame_making
from regserver.app.outside import Outside
from regserver.app.part_reload import Prepare
from regserver.app.sign_up_gate_hook import open_sign_up_hook
from regserver.app.site_brand import load_brand
from regserver.app.sms_gate import SmsGate, open_sms
from regserver.app.switch import SwitchedMailTemplates
from regserver.broker.local import LocalBroker, open_local_broker
from regserver.config import ConfigFault, Loaded, Settings, store_place
from regserver.domain.contact import Pepper
from regserver.domain.cursor import CursorSeal
from regserver.domain.guess import GuessHash
from regserver.domain.sign_up_policy import Door
from regserver.metric import Metrics
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplateFault, MailTemplates
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.randomness import Randomness
from regserver.ports.sign_up_hook import SignUpHook
from regserver.ports.store import Store
from regserver.service.guess_guard import GuessEnd, GuessGuard, GuessParts
from regserver.service.health import Check, Health
from regserver.service.identity_service import IdentityService
from regserver.service.keyed_address import key_addresses
from regserver.service.operator.entry import EntryLink
from regserver.service.operator.server import ReloadRun, RunningJob
from regserver.service.outbox import Outbox
from regserver.service.shared_clock import keep_shared_time
from regserver.service.sign_up_gate import SignUpGate
from regserver.store_opening import open_served_store
from regserver.web.http.dispatch import WebParts
from regserver.web.http.route import Route, SocketRoute
from regserver.web.site.brand import NAME, PLAIN, Brand

RUN_BYTES = 16


class Base(msgspec.Struct, frozen=True):
    """The parts that all doors share. node: the name of this process among those that share the store. run: its number there.

    gates: of the doors; a reload changes them. health: of all parts, once they are open. jobs: the live registrations that run.
    """

    loaded: Loaded
    outside: Outside
    store: Store
    broker: LocalBroker
    node: str
    run: bytes
    clock: Clock
    randomness: Randomness
    hasher: PasswordHasher
    key: ServerKey
    web: WebParts
    identity: IdentityService
    outbox: Outbox
    mail_templates: SwitchedMailTemplates
    seal: CursorSeal
    guard: GuessGuard
    pepper: Pepper
    captcha: CaptchaGate
    sms: SmsGate
    sign_up_hook: SignUpHook | None
    brand: Brand = PLAIN
    gates: dict[Door, list[SignUpGate]] = msgspec.field(default_factory=dict)
    health: Health = msgspec.field(default_factory=Health)
    jobs: list[Callable[[], tuple[RunningJob, ...]]] = msgspec.field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings


class AppPart(msgspec.Struct, frozen=True):
    """Routes and work of one group of doors, or of all.

    needed, useful: parts of readiness by name, see Checks. background: functions that run as long as the server. stop: called before the
    sockets close. reload: see `app.part_reload`; `config.reloadable` says which settings they take. first_link: makes the one-time link
    to the operator's page, where the store is empty.
    reloads: are given the function that reads the settings again, and return what is called at a signal.
    """

    routes: tuple[Route, ...] = ()
    sockets: tuple[SocketRoute, ...] = ()
    needed: tuple[tuple[str, Check], ...] = ()
    useful: tuple[tuple[str, Check], ...] = ()
    background: tuple[Callable[[], Any], ...] = ()
    stop: tuple[Callable[[], Awaitable[None]], ...] = ()
    reload: tuple[Prepare, ...] = ()
    first_link: tuple[Callable[[], Awaitable[EntryLink | None]], ...] = ()
    reloads: tuple[Callable[[ReloadRun], Callable[[], Awaitable[None]]], ...] = ()


async def open_base(stack: AsyncExitStack, loaded: Loaded, web: WebParts, outside: Outside) -> Base:
    """Opens store and broker. web: see assembly. Raises ConfigFault, StoreFault, ServerKeyFault."""
    settings, randomness = loaded.settings, outside.randomness
    store, key, outside = await _open_store(stack, loaded, outside)
    clock = outside.clock
    pepper = build_pepper(settings, key)
    await key_addresses(store, pepper)
    seal = CursorSeal(key.derive("cursor"))
    opened = open_local_broker(frame_making(seal, web), clock, settings.rooms.presence_grace)
    broker = await stack.enter_async_context(opened)
    store.listen(broker.publish_nowait)
    identity = IdentityService(store, clock, randomness, settings.login.token_ttl)
    outbox = Outbox(clock, randomness, key.derive("outbox"))
    mail_templates, brand = await trio.to_thread.run_sync(_build_look, loaded)
    guard = _build_guard((store, clock), key, outbox, mail_templates, web)
    captcha = await open_captcha(stack, settings, key, store, (clock, randomness))
    sms = await open_sms(stack, settings, outside, pepper, web.metrics)
    return Base(
        loaded,
        outside,
        store,
        broker,
        node_name(settings),
        randomness.bytes(RUN_BYTES),
        clock,
        randomness,
        build_hasher(settings.password),
        key,
        web,
        identity,
        outbox,
        mail_templates,
        seal,
        guard,
        pepper,
        captcha,
        sms,
        await open_sign_up_hook(stack, settings, (clock, randomness), web.metrics),
        brand,
    )


async def _open_store(
    stack: AsyncExitStack, loaded: Loaded, outside: Outside
) -> tuple[Store, ServerKey, Outside]:
    """The time is the store's, where that has a clock of its own."""
    opened, key = await open_served_store(stack, store_place(loaded), node_name(loaded.settings))
    store = outside.store(opened)
    clock = await keep_shared_time(store, outside.clock)
    return store, key, msgspec.structs.replace(outside, clock=clock)


def node_name(settings: Settings) -> str:
    """The name of this process among those that share the store."""
    return settings.node.name or socket.gethostname()


def _build_guard(
    kept: tuple[Store, Clock], key: ServerKey, outbox: Outbox, mail_templates: MailTemplates, web: WebParts
) -> GuessGuard:
    store, clock = kept
    parts = GuessParts(
        store=store,
        clock=clock,
        hashes=GuessHash(key.derive("guess")),
        outbox=outbox,
        mail_templates=mail_templates,
        on_guess=partial(_count_guess, web.metrics),
    )
    return GuessGuard(parts)


def _count_guess(metrics: Metrics, end: GuessEnd) -> None:
    metrics.guesses.labels(end).inc()
    if end == "refused":
        metrics.limited.labels("guess").inc()


def _build_look(loaded: Loaded) -> tuple[SwitchedMailTemplates, Brand]:
    """What people see of the operator in mails and on pages. Reads files. Raises ConfigFault."""
    return SwitchedMailTemplates(build_mail_templates(loaded)), load_brand(loaded)


def build_mail_templates(loaded: Loaded) -> MailTemplates:
    """The mails, with the operator's templates, all tested. Raises ConfigFault."""
    settings = loaded.settings
    folder = loaded.resolve(settings.mail.templates) if settings.mail.templates else None
    try:
        service = settings.site.name or urlsplit(settings.server.public_url).hostname or NAME
        return find_mail_templates(folder, service, settings.site.color)
    except MailTemplateFault as fault:
        raise ConfigFault(f"mail.templates: {fault}") from None
