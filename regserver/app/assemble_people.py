"""Builds sign-in, live registration and rooms: the doors that share tokens and sockets."""

from contextlib import AsyncExitStack
from functools import partial

from regserver.app.app_part import AppPart
from regserver.app.assemble_live import open_sign_in
from regserver.app.base import Base
from regserver.service.account_service import AccountService
from regserver.service.recovery_service import RecoveryService, run_trim
from regserver.service.room_service import RoomService
from regserver.service.sign_up_service import SignUpService
from regserver.web.rooms.endpoint import RoomsApi
from regserver.web.rooms.socket import RoomSocketApi
from regserver.web.sign_in.account import AccountApi


async def open_people(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens sign-in, live registration and rooms. Raises ConfigFault."""
    settings, store, clock = base.settings, base.store, base.clock
    accounts = AccountService(base.identity, base.broker)
    sign_ups = SignUpService(
        store, clock, base.hasher, base.identity, is_open=settings.login.open_registration
    )
    rooms = RoomService(base.identity, max_members=settings.rooms.max_members)
    sign_in = await open_sign_in(stack, base, accounts)
    room_socket = RoomSocketApi(
        base.identity,
        RecoveryService(store, base.identity),
        base.broker,
        base.seal,
        query_token=settings.login.query_token,
    )
    return AppPart(
        routes=(
            *sign_in.routes,
            *AccountApi(sign_ups, accounts, base.identity).routes(),
            *RoomsApi(rooms).routes(),
        ),
        sockets=(*sign_in.sockets, *room_socket.sockets()),
        background=(partial(run_trim, store, clock, settings.rooms.event_retention),),
        stop=sign_in.stop,
    )
