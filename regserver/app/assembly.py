"""Opens everything behind the web app, adds the routes to it, and runs the background work.

store → broker → adapters → services → doors → routes
"""

import difflib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import chain

import msgspec
import trio

from regserver import __version__
from regserver.app.assemble_address import open_addresses
from regserver.app.assemble_backup import open_backup
from regserver.app.assemble_change import open_changes
from regserver.app.assemble_code import open_codes
from regserver.app.assemble_directory import open_directory
from regserver.app.assemble_export import open_export
from regserver.app.assemble_factor import open_factors
from regserver.app.assemble_gate import open_gates
from regserver.app.assemble_node import open_node
from regserver.app.assemble_operator import open_operator
from regserver.app.assemble_people import open_rooms, open_sign_in
from regserver.app.assemble_push import open_push
from regserver.app.assemble_recovery import open_recovery
from regserver.app.assemble_session import open_sessions
from regserver.app.assemble_steps import open_steps
from regserver.app.assemble_webhook import open_webhooks
from regserver.app.base import AppPart, Base, build_mail_templates, node_name, open_base
from regserver.app.loop_watch import run_loop_watch
from regserver.app.outside import SYSTEM, Outside
from regserver.app.part_reload import Prepared
from regserver.app.plain_pages import open_plain_pages
from regserver.app.trial import has_examples, with_mailbox
from regserver.config import ConfigFault, Loaded, PostgresPlace, Settings, store_place
from regserver.config.setting import sign_up_policy
from regserver.domain.address import LOOPBACK_NETWORKS
from regserver.domain.instant import DAY, Duration
from regserver.log import ProcessLog
from regserver.metric import Metrics
from regserver.ports.future_table import Horizons
from regserver.ports.store import StoreFault
from regserver.service.clock_watch import ClockWatch
from regserver.service.expiry import run_expiry
from regserver.service.live_account import RESERVATION_MARGIN
from regserver.service.mail_delivery import LONGEST_DELAY
from regserver.service.rate_limiter import Rate
from regserver.service.sms_guard import CLOSED_FOR
from regserver.serving import FrontLimits
from regserver.web.captcha.endpoint import CaptchaApi
from regserver.web.core import WebCore
from regserver.web.directory.message import MESSAGES
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.dispatch import WebParts
from regserver.web.http.document import DocumentApi
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.operator import OperatorGate
from regserver.web.http.rate_limit import LIMITS, RateLimits
from regserver.web.http.route import Route, SocketRoute
from regserver.web.operations.departure import Departure
from regserver.web.operations.endpoint import OperationsApi
from regserver.web.operations.sighting import Sightings
from regserver.web.reference.page import Documents, ReferenceApi
from regserver.web.site.mailbox import MailboxApi
from regserver.web.site.page import PageApi, RobotChecks, TrialPage
from regserver.web.site.sdk import SdkApi
from regserver.web.site.well_known import WellKnownApi
from regserver.web.steps.endpoint import discover

HTTP2_STREAMS = 100  # at once on a connection, as RFC 9113, 6.5.2 recommends at least


class Assembly(msgspec.Struct, frozen=True):
    """A server whose back ends are not open yet."""

    loaded: Loaded
    web: WebParts
    limits: FrontLimits
    core: WebCore
    outside: Outside
    departure: Departure


async def open_page(stack: AsyncExitStack, base: Base) -> AppPart:
    """The web page, a client of the other doors, and what browsers ask every site for."""
    forwarded = base.web.forwarded
    known = WellKnownApi(forwarded, base.clock, base.settings.server.security_contact)
    policy, mailbox = sign_up_policy(base.settings), base.outside.mailbox
    pushes = base.settings.push.enabled and policy.serves("rooms")
    page = PageApi(
        forwarded,
        checks=RobotChecks(base.captcha.proves, base.captcha.elsewhere),
        sign_up=policy.modes["rooms"],
        pushes=pushes,
        trial=None if mailbox is None else TrialPage(await has_examples(base.loaded)),
        brand=base.brand,
    )
    letters = () if mailbox is None else MailboxApi(mailbox, forwarded).routes()

    async def prepare(loaded: Loaded) -> Prepared:
        mode = sign_up_policy(loaded.settings).modes["rooms"]
        return Prepared(partial(page.take, mode, examples=await has_examples(loaded)))

    routes = (*page.routes(), *known.routes(), *SdkApi().routes(), *letters)
    return AppPart(routes=routes, reload=(prepare,))


async def open_captcha_door(stack: AsyncExitStack, base: Base) -> AppPart:
    """The puzzles of the built-in captcha, where it is used."""
    proof = base.captcha.proof
    return AppPart() if proof is None else AppPart(routes=CaptchaApi(proof).routes())


async def open_shared(stack: AsyncExitStack, base: Base) -> AppPart:
    """What all doors share takes other settings."""
    web = base.web

    async def prepare_web(loaded: Loaded) -> Prepared:
        server = loaded.settings.server
        limits = build_limits(loaded.settings, base.outside.clock.elapsed)
        cors = CorsPolicy(server.cors_origins, server.cors_headers)

        def apply() -> None:
            web.limits.become(limits)
            web.cors.become(cors)

        return Prepared(apply)

    async def prepare_templates(loaded: Loaded) -> Prepared:
        templates = await trio.to_thread.run_sync(build_mail_templates, loaded)
        return Prepared(partial(base.mail_templates.take, templates))

    return AppPart(reload=(prepare_web, prepare_templates, base.captcha.prepare, base.sms.prepare))


PARTS = (
    open_node,
    open_shared,
    open_sign_in,
    open_sessions,
    open_addresses,
    open_factors,
    open_recovery,
    open_codes,
    open_changes,
    open_export,
    open_gates,
    open_rooms,
    open_push,
    open_directory,
    open_steps,
    open_captcha_door,
    open_backup,
    open_operator,
    open_page,
    open_webhooks,
)
"""Each opens one group of doors. A new group is a module and a name here."""


def assemble(loaded: Loaded, output: ProcessLog | None, outside: Outside = SYSTEM) -> Assembly:
    """Builds the server, without routes yet. output: the log, if the server has one of its own. Raises ConfigFault."""
    server, limits = loaded.settings.server, front_limits(loaded.settings)
    metrics, access = Metrics(), None if output is None else output.access
    if output is not None:
        metrics.watch(
            "log_lines_lost", "Lines of the log lost to a full disk or a stalled reader.", lambda: output.lost
        )
    web = WebParts(
        limits=build_limits(loaded.settings, outside.clock.elapsed),
        forwarded=ForwardedReader(server.trusted_proxies, server.public_url, server.proxy_fields),
        cors=CorsPolicy(server.cors_origins, server.cors_headers),
        metrics=metrics,
        access=access,
        hsts_seconds=server.hsts.whole_seconds,
        places=server.max_connections_per_address,
        node=node_name(loaded.settings) if isinstance(store_place(loaded), PostgresPlace) else "",
    )
    limits = msgspec.structs.replace(limits, refusal_fields=lambda: web.cors.front_fields)
    return Assembly(loaded, web, limits, WebCore(web), with_mailbox(outside, loaded.settings), Departure())


def _build_clock_watch(base: Base) -> ClockWatch:
    steps, live = base.settings.steps, base.settings.live
    horizons = Horizons(
        mail=LONGEST_DELAY,
        retry=Duration(max(steps.resend_after, steps.cycle_ttl, DAY)),
        registration=Duration(max(steps.cycle_ttl, steps.verified_ttl)),
        reservation=Duration(max(steps.claim_ttl, live.deadline + RESERVATION_MARGIN)),
        closure=CLOSED_FOR,
    )
    return ClockWatch(base.store, base.clock, horizons)


def build_limits(settings: Settings, elapsed: Callable[[], float]) -> RateLimits:
    """The rate limits with the operator's rates. Raises ConfigFault."""
    routes = settings.limits.routes
    if faults := list(filter(None, (_rate_fault(name, rate) for name, rate in routes.items()))):
        raise ConfigFault(*faults)
    return RateLimits(elapsed, enabled=settings.limits.enabled, overrides=routes)


def _rate_fault(name: str, rate: str) -> str | None:
    if name not in LIMITS:
        near = difflib.get_close_matches(name, LIMITS, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(LIMITS)}"
        return f"limits.routes.{name}: unknown limit; {hint}"
    try:
        Rate.parse(rate)
    except ValueError as error:
        return f"limits.routes.{name}: {error}"
    return None


@asynccontextmanager
async def open_assembly(assembly: Assembly) -> AsyncIterator[AppPart]:
    """Opens the back ends and adds the routes; yields all parts as one. Raises ConfigFault, StoreFault, ServerKeyFault."""
    async with AsyncExitStack() as stack:
        base = await open_base(stack, assembly.loaded, assembly.web, assembly.outside)
        whole = _joined([await open_part(stack, base) for open_part in PARTS])
        _add_routes(assembly, base, whole)
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(run_expiry, base.store, base.clock, base.web.metrics.job_ran)
        nursery.start_soon(run_loop_watch, base.web.metrics.loop_delay)
        nursery.start_soon(_build_clock_watch(base).run)
        for work in whole.background:
            nursery.start_soon(work)
        if assembly.web.access is not None:
            nursery.start_soon(assembly.web.access.run_flush)
        yield whole
        nursery.cancel_scope.cancel()


def _joined(parts: Iterable[AppPart]) -> AppPart:
    """All parts as one: each of its fields holds that field of every part."""
    columns = zip(*map(msgspec.structs.astuple, parts), strict=True)
    return AppPart(*(tuple(chain.from_iterable(column)) for column in columns))


def _add_routes(assembly: Assembly, base: Base, whole: AppPart) -> None:
    async def store_check() -> str | None:
        try:
            await base.store.check()
        except StoreFault as fault:
            return str(fault)
        return None

    web, settings = base.web, base.settings.operations
    base.health.watch(
        needed={"store": store_check, "stop": assembly.departure.check, **dict(whole.needed)},
        useful={**base.store.checks, **dict(whole.useful), "proxy": web.forwarded.notice.check},
    )
    for figure in base.store.figures:
        web.metrics.watch(figure.name, figure.text, figure.read, is_count=figure.is_count)
    web.metrics.watch_times(
        "store_commit_seconds", "How long the store took for a commit.", base.store.commits
    )
    gate = OperatorGate(web.forwarded, settings.networks, settings.bearer)
    routes = [
        *OperationsApi(web.metrics, base.health, gate.admits, Sightings(web.forwarded), __version__).routes(),
        *whole.routes,
    ]
    core = assembly.core
    plain = open_plain_pages(base, core.dispatcher.serve)
    core.add_routes((*routes, *plain, *_documents(base, routes, whole.sockets)), whole.sockets)


def _documents(base: Base, routes: Sequence[Route], sockets: Sequence[SocketRoute]) -> Iterator[Route]:
    """The routes of the documents that describe all others, and of the reference that is made of them."""
    messages = {str(name): f"{text.message}. {text.detail}" for name, text in MESSAGES.items()}
    documents = DocumentApi(routes, sockets, lambda: base.web.limits.rates, __version__, messages)

    made: list[Documents] = []

    async def all_documents() -> Documents:
        bodies = await documents.bodies()
        if not made or made[0].openapi is not bodies[0]:
            made[:] = [Documents(*bodies, await discover(routes))]
        return made[0]

    yield from documents.routes()
    yield from ReferenceApi(base.web.forwarded, all_documents, base.brand).routes()


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
        least_rate=bounds.least_rate,
        http2_streams=HTTP2_STREAMS if server.http2 else 0,
        held_bytes=bounds.held,
        held_bytes_per_address=bounds.held_per_address,
        held_bytes_per_connection=bounds.held_per_connection,
        ping_seconds=bounds.ping_interval.seconds,
        pong_seconds=bounds.pong_timeout.seconds,
        queue_bytes=settings.rooms.socket_queue,
        grace_seconds=server.grace.seconds,
        # All clients of a proxy have its address.
        exempt_networks=(*LOOPBACK_NETWORKS, *(p for p in server.trusted_proxies if p != "unix")),
    )
