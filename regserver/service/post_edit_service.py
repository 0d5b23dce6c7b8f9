"""Editing and deleting one's own posts.

    post → its room, locked → still there, by the asker, who is a member → the post changes, and an event is appended

The log stays as it is: the change is an event of its own, which sockets hear that ask for edits. The others recover the post with
what it said at first, or, once it is deleted, not at all.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from regserver.domain.account import Account
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import Instant
from regserver.domain.outcome import (
    BadId,
    IdempotencyConflict,
    NotInRoom,
    NotYourPost,
    PostNotFound,
    QuotaExceeded,
)
from regserver.domain.room import Post, PostId, parse_id
from regserver.domain.room_event import Edited, Retracted
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Lock, Transaction
from regserver.service.identity_service import Act
from regserver.service.quota import Quota, post_cost
from regserver.service.room_admission import RoomAdmission, Unadmitted

T = TypeVar("T")
NoPost = BadId | PostNotFound | NotInRoom | NotYourPost
EditRefusal = Unadmitted | NoPost | IdempotencyConflict


class PostEditService:
    """quota: an edit counts as a post. post_text: the post's id, as in the path."""

    def __init__(self, admission: RoomAdmission, quota: Quota) -> None:
        self._admission = admission
        self._quota = quota

    async def edit(
        self, token: SecretHash, post_text: str, content: str, idempotency: Idempotency | None = None
    ) -> EditRefusal | QuotaExceeded | None:
        """Gives the post another content."""

        async def act(transaction: Transaction, post: Post, now: Instant) -> QuotaExceeded | None:
            cost = post_cost(content, is_keyed=idempotency is not None)
            if refusal := await self._quota.spend(transaction, post.author, cost, now):
                return refusal
            await transaction.posts.edit(post, content, now)
            transaction.events.append_last(post.room, post.author, Edited(post.id, content), now)
            return None

        return await self._admission.write_once(token, idempotency, _own_post(post_text, act))

    async def delete(
        self, token: SecretHash, post_text: str, idempotency: Idempotency | None = None
    ) -> EditRefusal | None:
        """Removes the post, with all that it ever said."""

        async def act(transaction: Transaction, post: Post, now: Instant) -> None:
            await transaction.posts.remove(post)
            transaction.events.append_last(post.room, post.author, Retracted(post.id), now)

        return await self._admission.write_once(token, idempotency, _own_post(post_text, act))


def _own_post(post_text: str, act: Callable[[Transaction, Post, Instant], Awaitable[T]]) -> Act[T | NoPost]:
    async def enter(transaction: Transaction, account: Account, now: Instant) -> T | NoPost:
        number = parse_id(post_text)
        if number is None:
            return BadId()
        if (found := await transaction.posts.by_id(PostId(number))) is None:
            return PostNotFound()
        await transaction.lock(Lock.ROOM, found.room)
        # Read again: it may have changed while the lock was waited for.
        if (post := await transaction.posts.by_id(found.id)) is None:
            return PostNotFound()
        if not await transaction.rooms.present(post.room, [account.id]):
            return NotInRoom()
        return await act(transaction, post, now) if post.author == account.id else NotYourPost()

    return enter
