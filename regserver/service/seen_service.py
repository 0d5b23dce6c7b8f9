"""How far somebody has read in a room: kept in the store, and told to the person's other devices."""

from regserver.domain.idempotency import Idempotency
from regserver.domain.outcome import IdempotencyConflict, PostNotFound
from regserver.domain.presence import MarkMoved
from regserver.domain.room import PostId
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.transaction import Transaction
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_service import NoAccess, RoomActor, in_room


class SeenService:
    """broker: of this node, which tells the others."""

    def __init__(self, admission: RoomAdmission, broker: Broker) -> None:
        self._admission = admission
        self._broker = broker

    async def seen(
        self, token: SecretHash, room_text: str, post: PostId, idempotency: Idempotency | None = None
    ) -> NoAccess | PostNotFound | IdempotencyConflict | None:
        """Moves the account's unread mark forward to `post`, and tells its sockets if it moved. room_text: the room's id, as in the path."""
        moved: MarkMoved | None = None

        async def act(transaction: Transaction, actor: RoomActor) -> PostNotFound | None:
            nonlocal moved
            found = await transaction.posts.by_id(post)
            if found is None or found.room != actor.room.id:
                return PostNotFound()
            is_further = await transaction.rooms.mark_seen(actor.room.id, actor.account, post)
            moved = MarkMoved(actor.account, actor.room.id, post) if is_further else None
            return None

        outcome = await self._admission.write_once(token, idempotency, in_room(room_text, act))
        if outcome is None and moved is not None:  # a repetition moves nothing
            self._broker.seen_nowait(moved)
        return outcome
