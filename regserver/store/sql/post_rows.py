"""Posts of rooms."""

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Post, PostId, RoomId
from regserver.store.sql.account_rows import shown_name
from regserver.store.sql.statement import Rows

# In the order of the fields of Post.
POST_COLUMNS = (
    f"SELECT post.id, room_id, author_id, {shown_name('account')}, content, post.created_at, post.edited_at"
    " FROM post JOIN account ON account.id = post.author_id"
)


MOST_RENUMBERED = 1000
"""Posts after one that is removed. Where there are more, whoever has not read so far counts one too many."""


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

    async def edit(self, post: Post, content: str, now: Instant) -> None:
        """An INSERT for what it said at first, and an UPDATE."""
        keep = (
            "INSERT INTO post_original (post_id, account_id, content, edited_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (post_id) DO NOTHING"
        )
        await self._sql.run(keep, post.id, post.author, post.content, now)
        await self._sql.run("UPDATE post SET content = ?, edited_at = ? WHERE id = ?", content, now, post.id)

    async def remove(self, post: Post) -> None:
        """What it said at first goes by the foreign key; the numbers of the next posts move up."""
        later = "SELECT count(*) FROM (SELECT id FROM post WHERE room_id = ? AND id > ? LIMIT ?) AS later"
        if await self._sql.value(later, post.room, post.id, MOST_RENUMBERED + 1) <= MOST_RENUMBERED:
            await self._sql.run(
                "UPDATE post SET ordinal = ordinal - 1,"
                " author_ordinal = author_ordinal - CASE WHEN author_id = ? THEN 1 ELSE 0 END"
                " WHERE room_id = ? AND id > ?",
                *(post.author, post.room, post.id),
            )
        await self._sql.run("DELETE FROM post WHERE id = ?", post.id)

    async def forget_originals(self, before: Instant) -> int:
        """Uses the index of the times."""
        return await self._sql.run("DELETE FROM post_original WHERE edited_at < ?", before)

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

    async def following(self, room: RoomId, after: PostId, limit: int) -> tuple[Post, ...]:
        """Uses the index of a room's posts."""
        rows = await self._sql.rows(
            f"{POST_COLUMNS} WHERE room_id = ? AND post.id > ? ORDER BY post.id LIMIT ?", room, after, limit
        )
        return tuple(Post(*row) for row in rows)
