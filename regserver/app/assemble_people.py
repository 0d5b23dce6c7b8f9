"""Builds sign-in, live registration and rooms: the doors that share tokens and sockets."""

from contextlib import AsyncExitStack, nullcontext
from functools import partial

import trio

from regserver.adapters.derived_key import journal_seal
from regserver.adapters.source.roster import RosterSource, read_people, subjects
from regserver.app.assemble_address import build_addresses
from regserver.app.assemble_board import build_live_parts
from regserver.app.assemble_gate import build_gate
from regserver.app.assemble_room_extra import more_routes
from regserver.app.base import AppPart, Base
from regserver.app.part_reload import Prepared
from regserver.config import Loaded
from regserver.config.setting import sign_up_policy
from regserver.domain.live_progress import UNKNOWN_TOTAL
from regserver.domain.sign_up_policy import SignUpPolicy
from regserver.ports.source import Source
from regserver.service.account_service import AccountService
from regserver.service.block_service import BlockService
from regserver.service.deletion_service import DeletionService
from regserver.service.erasure_service import ErasurePolicy, ErasureService
from regserver.service.expiry import run_trim
from regserver.service.live_job import LiveJob
from regserver.service.live_service import LiveService, open_live
from regserver.service.membership_service import MembershipPolicy, MembershipService
from regserver.service.operator.server import RunningJob
from regserver.service.operator.unit import OperatorUnit
from regserver.service.post_edit_service import PostEditService
from regserver.service.publish_service import PublishService
from regserver.service.quota import Quota, QuotaPolicy
from regserver.service.recovery_service import RecoveryService
from regserver.service.reserved_name import reserve_names
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_service import RoomService
from regserver.service.session_upkeep import SessionUpkeep
from regserver.service.sign_in_service import SignInParts, SignInService
from regserver.service.sign_up_service import SignUpParts, SignUpService
from regserver.service.source_check import SourceCheck
from regserver.service.typing_service import TypingService
from regserver.store_opening import name_hash
from regserver.web.http.route import Route
from regserver.web.live.endpoint import LiveApi
from regserver.web.rooms.block_endpoint import BlockApi
from regserver.web.rooms.endpoint import RoomsApi
from regserver.web.rooms.membership_endpoint import MembershipApi
from regserver.web.rooms.post_edit_endpoint import PostEditApi
from regserver.web.rooms.socket import RoomSocketApi
from regserver.web.rooms.stream import RoomStreamApi
from regserver.web.sign_in.endpoint import SignInApi


async def open_sign_in(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens sign-in, live registration and accounts. Raises ConfigFault."""
    settings, store, clock = base.settings, base.store, base.clock
    sign_up = sign_up_policy(settings)
    opened = base.outside.source(base.loaded, base.hasher) if sign_up.serves("live") else nullcontext()
    source = await stack.enter_async_context(opened)
    parts = build_live_parts(base, source)
    policy = parts.policy
    await reserve_names(store, clock, policy.source, None if source is None else source.people)
    live = await stack.enter_async_context(open_live(parts))
    _show_running(base, live)
    check = None if source is None else SourceCheck(source, policy.source, policy.max_running)
    sign_in = _build_sign_in(base, live, check)
    accounts = AccountService(base.identity, base.broker)
    erasure = _build_erasure(base)
    upkeep = _build_upkeep(base, erasure)
    deletion = DeletionService(base.identity, base.guard, base.hasher, base.broker, erasure)
    watching = LiveApi(live)
    door = SignInApi(sign_in, _build_sign_up(base), accounts, deletion, base.identity, base.web.forwarded)
    routes = _served(door.routes(), sign_up)
    background = (upkeep.run_writing, upkeep.run_watch, erasure.run)
    if not sign_up.serves("live"):
        return AppPart(routes=routes, background=background, stop=(live.stop,))
    return AppPart(
        routes=(*routes, *watching.routes()),
        sockets=watching.sockets(),
        background=background,
        stop=(live.stop,),
        reload=(partial(_prepare_roster, base, source),),
    )


def _show_running(base: Base, live: LiveService) -> None:
    base.web.metrics.registrations.set_function(lambda: live.running)
    base.jobs.append(lambda: tuple(map(_running, live.running_jobs())))


def _running(job: LiveJob) -> RunningJob:
    last = job.history[-1].event if job.history else None
    step, total = (0, UNKNOWN_TOTAL) if last is None else (last.step, last.total_steps)
    return RunningJob(job.applicant.username, step, total, round(job.elapsed_ms / 1000))


async def _prepare_roster(base: Base, source: Source | None, loaded: Loaded) -> Prepared:
    """The people of a roster, and their names. Other sources have no file of ours."""
    if not isinstance(source, RosterSource):
        return Prepared()
    people = await trio.to_thread.run_sync(read_people, loaded) or ()

    async def reserve() -> None:
        await reserve_names(base.store, base.clock, loaded.settings.live.source, subjects(people))

    return Prepared(partial(source.take, people), reserve)


def _served(routes: tuple[Route, ...], policy: SignUpPolicy) -> tuple[Route, ...]:
    return tuple(route for route in routes if route.name != "account.register" or policy.serves("rooms"))


def _build_sign_up(base: Base) -> SignUpService:
    return SignUpService(
        SignUpParts(
            store=base.store,
            clock=base.clock,
            hasher=base.hasher,
            identity=base.identity,
            guard=base.guard,
            pepper=base.pepper,
            addresses=build_addresses(base),
            gate=build_gate(base, "rooms"),
            captcha=base.captcha.at("rooms"),
        )
    )


def _build_sign_in(base: Base, live: LiveService, source: SourceCheck | None) -> SignInService:
    return SignInService(
        SignInParts(
            store=base.store,
            clock=base.clock,
            hasher=base.hasher,
            identity=base.identity,
            live=live,
            guard=base.guard,
            broker=base.broker,
            pepper=base.pepper,
            source=source,
            recheck=base.settings.live.recheck,
            grace=base.settings.login.deletion_grace,
        )
    )


def _build_upkeep(base: Base, erasure: ErasureService) -> SessionUpkeep:
    upkeep = SessionUpkeep(base.store, base.clock, base.broker, base.identity.uses)

    def changed() -> None:
        upkeep.changed_nowait()
        erasure.changed_nowait()

    base.store.listen_elsewhere(changed)
    return upkeep


def _build_erasure(base: Base) -> ErasureService:
    policy = ErasurePolicy(base.settings.login.deletion_grace, base.settings.signup.waiting_ttl)
    return ErasureService(base.store, base.clock, journal_seal(base.key), name_hash(base.key), policy)


async def open_rooms(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the rooms and their WebSocket."""
    if not sign_up_policy(base.settings).serves("rooms"):
        return AppPart()
    settings, store = base.settings, base.store
    admission = RoomAdmission(base.identity, requires_verified=settings.login.verify_email == "require")
    section = settings.rooms
    quota = Quota(QuotaPolicy(section.daily_posts, section.daily_rooms, section.daily_bytes))
    membership_policy = MembershipPolicy(section.max_members, asks=section.consent == "ask")
    memberships = MembershipService(admission, quota, membership_policy)
    recovery = RecoveryService(store, admission)
    tokens = settings.login.query_token
    sockets = RoomSocketApi(admission, recovery, base.broker, base.seal, tokens, section.max_sockets)
    streams = RoomStreamApi(
        admission, recovery, base.broker, base.seal, section.max_sockets, int(section.socket_queue), set()
    )
    publish = PublishService(OperatorUnit(store, base.clock), section.max_members)
    typing = TypingService(admission, base.broker, base.clock.elapsed)
    return AppPart(
        routes=(
            *MembershipApi(memberships, base.web.limits, publish).routes(),
            *RoomsApi(RoomService(admission, quota), typing, publish).routes(),
            *PostEditApi(PostEditService(admission, quota)).routes(),
            *more_routes(base, admission),
            *BlockApi(BlockService(base.identity)).routes(),
            *streams.routes(),
        ),
        stop=(streams.stop,),
        sockets=sockets.sockets(),
        background=(
            partial(run_trim, store, base.clock, settings.rooms.event_retention, base.web.metrics.job_ran),
        ),
    )
