"""What the owner of a room may do beside its members: rename it, and remove people from it.

A room is its creator's; when the owner leaves, it becomes that of the member who joined first (RoomTable.give).
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.idempotency import Idempotency
from regserver.domain.outcome import AccountNotFound, BadId, IdempotencyConflict, NotRoomOwner
from regserver.domain.room_event import Removed, Renamed
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Transaction
from regserver.service.identity_service import Act
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_service import NoAccess, NotInside, RoomActor, in_room

T = TypeVar("T")
OwnerRefusal = NoAccess | NotRoomOwner | IdempotencyConflict


class RoomOwnerService(msgspec.Struct, frozen=True):
    """room_text: the room's id, as in the path."""

    admission: RoomAdmission

    async def rename(
        self, token: SecretHash, room_text: str, name: str, idempotency: Idempotency | None = None
    ) -> OwnerRefusal | None:
        """Gives the room another name; the one that it has changes nothing."""

        async def act(transaction: Transaction, actor: RoomActor) -> None:
            if name == actor.room.name:
                return
            await transaction.rooms.rename(actor.room.id, name)
            await transaction.rooms.touch(actor.room.id, actor.now)
            transaction.events.append_last(actor.room.id, actor.account, Renamed(name), actor.now)

        return await self.admission.write_once(token, idempotency, _as_owner(room_text, act))

    async def remove(
        self, token: SecretHash, room_text: str, member: AccountId, idempotency: Idempotency | None = None
    ) -> OwnerRefusal | BadId | AccountNotFound | None:
        """Ends the membership of somebody else. AccountNotFound: they are no member. BadId: it is the owner."""

        async def act(transaction: Transaction, actor: RoomActor) -> BadId | AccountNotFound | None:
            if member == actor.account:
                return BadId()
            room = actor.room.id
            if not await transaction.rooms.present(room, [member]):
                return AccountNotFound((member,))
            event = await transaction.events.append(room, actor.account, Removed(member), actor.now)
            await transaction.rooms.leave(room, member, event.id)
            await transaction.rooms.touch(room, actor.now)
            return None

        return await self.admission.write_once(token, idempotency, _as_owner(room_text, act))


def _as_owner(
    room_text: str, act: Callable[[Transaction, RoomActor], Awaitable[T]]
) -> Act[T | NotInside | NotRoomOwner]:
    async def owned(transaction: Transaction, actor: RoomActor) -> T | NotRoomOwner:
        if await transaction.rooms.owner(actor.room.id) != actor.account:
            return NotRoomOwner()
        return await act(transaction, actor)

    return in_room(room_text, owned, locked=True)
