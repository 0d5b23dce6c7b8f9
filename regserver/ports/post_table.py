"""Posts of rooms."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Post, PostId, RoomId


class PostTable(Protocol):
    """A post has a number within its room and one among its author's posts there, so unread posts need not be counted."""

    async def add(self, room: RoomId, author: AccountId, content: str, now: Instant) -> PostId:
        """Writes a post with the next numbers; the unit holds Lock.ROOM."""

    async def replace(self, post: PostId, content: str) -> None:
        """Puts another content in a post's place."""

    async def by_id(self, post: PostId) -> Post | None:
        """The post, in any room."""

    async def edit(self, post: Post, content: str, now: Instant) -> None:
        """Gives a post another content. What it said at first is kept for the log. The unit holds Lock.ROOM."""

    async def remove(self, post: Post) -> None:
        """Removes a post with all that it ever said; the unit holds Lock.ROOM."""

    async def forget_originals(self, before: Instant) -> int:
        """Forgets what posts said that were edited before then; how many."""

    async def newest_ids(self, room: RoomId, limit: int) -> tuple[PostId, ...]:
        """The newest `limit` ids, oldest first."""

    async def page(self, room: RoomId, before: PostId | None, limit: int) -> tuple[Post, ...]:
        """The newest `limit` posts older than `before` (None: of all), oldest first."""

    async def following(self, room: RoomId, after: PostId, limit: int) -> tuple[Post, ...]:
        """The oldest `limit` posts newer than `after`, oldest first."""
