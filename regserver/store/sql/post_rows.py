"""Posts of rooms."""

from collections.abc import Sequence
from typing import Any

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Post, PostId, RoomId
from regserver.store.sql.statement import Sql

POST_COLUMNS = (
    "SELECT post.id, room_id, author_id, username, content, post.created_at"
    " FROM post JOIN account ON account.id = post.author_id"
)


def read_post(row: Sequence[Any]) -> Post:
    """The post of a row of POST_COLUMNS."""
    return Post(
        id=row[0], room=row[1], author=row[2], username=row[3], content=row[4], created_at=Instant(row[5])
    )


class PostRows:
    """The table post."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, room: RoomId, author: AccountId, content: str, now: Instant) -> PostId:
        """One INSERT that finds the newest ordinals by index; two at once would give one ordinal twice."""
        row = await self._sql.row(
            "INSERT INTO post (room_id, author_id, content, created_at, ordinal, author_ordinal)"
            " VALUES (?, ?, ?, ?,"
            " coalesce((SELECT ordinal FROM post WHERE room_id = ? ORDER BY id DESC LIMIT 1), 0) + 1,"
            " coalesce((SELECT author_ordinal FROM post WHERE room_id = ? AND author_id = ?"
            " ORDER BY id DESC LIMIT 1), 0) + 1) RETURNING id",
            room,
            author,
            content,
            now,
            room,
            room,
            author,
        )
        assert row is not None  # noqa: S101  (an insert that returns gives a row)
        return PostId(row[0])

    async def by_id(self, post: PostId) -> Post | None:
        """Uses the primary key."""
        row = await self._sql.row(f"{POST_COLUMNS} WHERE post.id = ?", post)
        return None if row is None else read_post(row)

    async def newest_ids(self, room: RoomId, limit: int) -> tuple[PostId, ...]:
        """Uses the index of a room's posts."""
        rows = await self._sql.rows(
            "SELECT id FROM post WHERE room_id = ? ORDER BY id DESC LIMIT ?", room, limit
        )
        return tuple(row[0] for row in reversed(rows))

    async def page(self, room: RoomId, before: PostId | None, limit: int) -> tuple[Post, ...]:
        """Uses the index of a room's posts."""
        older, parameters = ("", (room,)) if before is None else (" AND post.id < ?", (room, before))
        rows = await self._sql.rows(
            f"{POST_COLUMNS} WHERE room_id = ?{older} ORDER BY post.id DESC LIMIT ?", *parameters, limit
        )
        return tuple(read_post(row) for row in reversed(rows))
