"""Posts of rooms."""

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Post, PostId, RoomId
from regserver.store.sql.account_rows import shown_name
from regserver.store.sql.statement import Rows

# In the order of the fields of Post.
POST_COLUMNS = (
    f"SELECT post.id, room_id, author_id, {shown_name('account')}, content, post.created_at"
    " FROM post JOIN account ON account.id = post.author_id"
)


class PostRows(Rows):
    """The table post."""

    async def add(self, room: RoomId, author: AccountId, content: str, now: Instant) -> PostId:
        """One INSERT that reads the newest ordinals by index; without the lock two inserts could get one ordinal."""
        statement = (
            "INSERT INTO post (room_id, author_id, content, created_at, ordinal, author_ordinal)"
            " VALUES (?, ?, ?, ?,"
            " coalesce((SELECT ordinal FROM post WHERE room_id = ? ORDER BY id DESC LIMIT 1), 0) + 1,"
            " coalesce((SELECT author_ordinal FROM post WHERE room_id = ? AND author_id = ?"
            " ORDER BY id DESC LIMIT 1), 0) + 1)"
        )
        return PostId(await self._sql.insert(statement, room, author, content, now, room, room, author))

    async def replace(self, post: PostId, content: str) -> None:
        """Uses the primary key."""
        await self._sql.run("UPDATE post SET content = ? WHERE id = ?", content, post)

    async def by_id(self, post: PostId) -> Post | None:
        """Uses the primary key."""
        row = await self._sql.row(f"{POST_COLUMNS} WHERE post.id = ?", post)
        return None if row is None else Post(*row)

    async def newest_ids(self, room: RoomId, limit: int) -> tuple[PostId, ...]:
        """Uses the index of a room's posts."""
        statement = "SELECT id FROM post WHERE room_id = ? ORDER BY id DESC LIMIT ?"
        rows = await self._sql.rows(statement, room, limit)
        return tuple(row[0] for row in reversed(rows))

    async def page(self, room: RoomId, before: PostId | None, limit: int) -> tuple[Post, ...]:
        """Uses the index of a room's posts."""
        older, parameters = ("", (room,)) if before is None else (" AND post.id < ?", (room, before))
        rows = await self._sql.rows(
            f"{POST_COLUMNS} WHERE room_id = ?{older} ORDER BY post.id DESC LIMIT ?", *parameters, limit
        )
        return tuple(Post(*row) for row in reversed(rows))
