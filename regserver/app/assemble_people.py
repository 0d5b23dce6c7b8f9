"""Builds sign-in, live registration and rooms: the doors that share tokens and sockets."""

from contextlib import AsyncExitStack
from functools import partial

import msgspec

from regserver.adapters.source import open_source
from regserver.app.base import AppPart, Base
from regserver.service.account_service import AccountService
from regserver.service.expiry import run_trim
from regserver.service.live_account import LiveParts, LivePolicy
from regserver.service.live_service import open_live
from regserver.service.recovery_service import RecoveryService
from regserver.service.room_service import RoomService
from regserver.service.sign_in_service import SignInService, SourceCheck
from regserver.service.sign_up_service import SignUpService
from regserver.web.live.endpoint import LiveApi
from regserver.web.rooms.endpoint import RoomsApi
from regserver.web.rooms.socket import RoomSocketApi
from regserver.web.sign_in.endpoint import SignInApi


async def open_sign_in(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens sign-in, live registration and accounts. Raises ConfigFault."""
    settings, store, clock = base.settings, base.store, base.clock
    source = await stack.enter_async_context(open_source(base.loaded, base.hasher))
    policy = msgspec.convert(settings.live, LivePolicy, from_attributes=True)
    parts = LiveParts(
        store=store,
        clock=clock,
        randomness=base.randomness,
        identity=base.identity,
        source=source,
        policy=policy,
        on_end=lambda state: base.web.metrics.registrations_ended.labels(state).inc(),
    )
    live = await stack.enter_async_context(open_live(parts))
    base.web.metrics.registrations.set_function(lambda: live.running)
    check = None if source is None else SourceCheck(source, policy.max_running)
    sign_in = SignInService(store, clock, base.hasher, base.identity, live, check)
    is_open = settings.login.open_registration
    sign_ups = SignUpService(store, clock, base.hasher, base.identity, is_open=is_open)
    accounts = AccountService(base.identity, base.broker)
    watching = LiveApi(live)
    return AppPart(
        routes=(
            *SignInApi(sign_in, sign_ups, accounts, base.identity, base.web.forwarded).routes(),
            *watching.routes(),
        ),
        sockets=watching.sockets(),
        stop=(live.stop,),
    )


async def open_rooms(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the rooms and their WebSocket."""
    settings, store, identity = base.settings, base.store, base.identity
    rooms = RoomService(identity, max_members=settings.rooms.max_members)
    recovery = RecoveryService(store, identity)
    sockets = RoomSocketApi(
        identity,
        recovery,
        base.broker,
        base.seal,
        query_token=settings.login.query_token,
        max_sockets=settings.rooms.max_sockets,
    )
    return AppPart(
        routes=RoomsApi(rooms).routes(),
        sockets=sockets.sockets(),
        background=(partial(run_trim, store, base.clock, settings.rooms.event_retention),),
    )
