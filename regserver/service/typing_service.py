"""Typing: a member tells the room that a post is being written. Nothing is stored."""

from collections.abc import Callable

from regserver.domain.account import AccountId
from regserver.domain.outcome import Refusal
from regserver.domain.presence import TypingNoticed
from regserver.domain.room import RoomId
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.transaction import Transaction
from regserver.service.rate_limiter import Limiter, Rate
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_service import NoAccess, RoomActor, in_room

OFTEN = Rate(1, 2)
"""Of one person in one room. A client may tell at each key: what comes too often is not passed on, and not refused."""


class TypingService:
    """monotonic: seconds from a clock that never goes back."""

    def __init__(self, admission: RoomAdmission, broker: Broker, monotonic: Callable[[], float]) -> None:
        self._admission = admission
        self._broker = broker
        self._often = Limiter(OFTEN, monotonic)

    async def typing(self, token: SecretHash, room_text: str) -> NoAccess | None:
        """Tells the sockets of the room that asked for presence, at most as often as OFTEN. room_text: its id, as in the path."""

        async def act(_transaction: Transaction, actor: RoomActor) -> tuple[AccountId, RoomId]:
            return actor.account, actor.room.id

        found = await self._admission.look_up(token, in_room(room_text, act))
        if isinstance(found, Refusal):
            return found
        account, room = found
        if self._often.take(f"{account} {room}") is None:
            self._broker.typing_nowait(TypingNoticed(account, room))
        return None
