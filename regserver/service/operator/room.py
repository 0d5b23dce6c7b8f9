"""Rooms as operators see and moderate them. They see no posts; one that was reported is removed by its number."""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.audit import AuditNote
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import NotInRoom, PostNotFound, Refusal, RoomNotFound
from regserver.domain.room import Member, PostId, Room, RoomId
from regserver.domain.room_event import Left
from regserver.ports.transaction import Lock, Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.room_service import leave_room

MOST_ROOMS = 1000
MEMBERS_LISTED = 5000
CLOSED_AT_ONCE = 50
"""Members who leave in one unit of work, so that posts do not wait long."""
REMOVED = "[removed]"
"""What stands in the place of a removed post: its number stays, since unread marks and cursors count by it."""


class ModeratedRoom(msgspec.Struct, frozen=True):
    """A room with its first members."""

    room: Room
    members: tuple[Member, ...]


class RoomDesk:
    """The use cases. Changes of memberships are told to sockets by this process, so they are the server's."""

    def __init__(self, unit: OperatorUnit) -> None:
        self._unit = unit

    async def list(self, who: OperatorCredential, after: RoomId, limit: int) -> tuple[Room, ...] | Denied:
        """Rooms behind a number, by number. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[Room, ...]:
            return await transaction.rooms.all(after, min(limit, MOST_ROOMS))

        return await self._unit.read(who, Operation.READ_ROOMS, act)

    async def show(self, who: OperatorCredential, room: RoomId) -> ModeratedRoom | Denied | RoomNotFound:
        """One room with its members, in the order in which they came. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> ModeratedRoom | RoomNotFound:
            found = await transaction.rooms.access(room, AccountId(0))
            if found is None:
                return RoomNotFound()
            return ModeratedRoom(found.room, await transaction.rooms.members(room, MEMBERS_LISTED))

        return await self._unit.read(who, Operation.READ_ROOMS, act)

    async def remove_post(self, who: OperatorCredential, post: PostId) -> Denied | PostNotFound | None:
        """Takes a post's content away for good. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> PostNotFound | None:
            found = await transaction.posts.by_id(post)
            if found is None:
                return PostNotFound()
            await transaction.posts.replace(post, REMOVED)
            note = AuditNote(action="post_removed", account=found.author, subject=f"post {post}")
            transaction.audit.note(note)
            return None

        return await self._unit.write(who, Operation.CHANGE_ROOMS, act)

    async def remove_member(
        self, who: OperatorCredential, room: RoomId, member: AccountId
    ) -> Denied | RoomNotFound | NotInRoom | None:
        """Ends one membership, as if they had left; the room goes with its last member. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> RoomNotFound | NotInRoom | None:
            await transaction.lock(Lock.ROOM, room)
            found = await transaction.rooms.access(room, member)
            if found is None:
                return RoomNotFound()
            if not found.is_member:
                return NotInRoom()
            await leave_room(transaction, room, member, Left(deleted=False), now)
            transaction.audit.note(AuditNote(action="member_removed", account=member, subject=f"room {room}"))
            return None

        return await self._unit.write(who, Operation.CHANGE_ROOMS, act)

    async def close(self, who: OperatorCredential, room: RoomId) -> Denied | RoomNotFound | None:
        """All members leave, CLOSED_AT_ONCE in one unit of work; the room goes with the last one. Raises StoreFault."""
        is_noted = False

        async def act(transaction: Transaction, now: Instant) -> RoomNotFound | None:
            await transaction.lock(Lock.ROOM, room)
            members = await transaction.rooms.members(room, CLOSED_AT_ONCE)
            if not members:
                return RoomNotFound()
            for member in members:
                await leave_room(transaction, room, member.account, Left(deleted=False), now)
            if not is_noted:
                transaction.audit.note(AuditNote(action="room_closed", subject=f"room {room}"))
            return None

        while True:
            outcome = await self._unit.write(who, Operation.CHANGE_ROOMS, act)
            if isinstance(outcome, Refusal):
                return None if is_noted and isinstance(outcome, RoomNotFound) else outcome
            is_noted = True
