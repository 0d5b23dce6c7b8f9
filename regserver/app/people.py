"""Builds sign-in, live registration and rooms: the doors that share tokens and sockets."""

from contextlib import AsyncExitStack

from regserver.adapters.source import SOURCES
from regserver.app.base import Base, Doors
from regserver.service.account import AccountService
from regserver.service.live import LiveService, open_live
from regserver.service.room import RoomService
from regserver.service.sign_in import SignInService
from regserver.web.account import AccountDoor
from regserver.web.room import RoomDoor
from regserver.web.room_socket import RoomSocketDoor
from regserver.web.sign_in import SignInDoor


async def open_people(stack: AsyncExitStack, base: Base) -> Doors:
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
