"""Rooms, memberships, posts and the event log."""

from collections.abc import Sequence

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.event import Change, Event, EventId
from regserver.domain.instant import Instant
from regserver.domain.room import Member, Post, PostId, Room, RoomId
from regserver.store.sql.statement import Sql

POST_COLUMNS = (
    "SELECT post.id, room_id, author_id, username, content, post.created_at"
    " FROM post JOIN account ON account.id = post.author_id"
)

_encode = msgspec.json.Encoder().encode


def _post(row: tuple[object, ...]) -> Post:
    return Post(**dict(zip(Post.__struct_fields__, row, strict=True)))  # type: ignore[arg-type]


class RoomRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, name: str | None, now: Instant) -> RoomId:
        row = await self._sql.row(
            "INSERT INTO room (name, created_at, updated_at) VALUES (?, ?, ?) RETURNING id", name, now, now
        )
        assert row is not None  # noqa: S101  (an insert that returns gives a row)
        return RoomId(row[0])

    async def by_id(self, room: RoomId) -> Room | None:
        row = await self._sql.row("SELECT id, name, created_at, updated_at FROM room WHERE id = ?", room)
        return None if row is None else Room(id=row[0], name=row[1], created_at=row[2], updated_at=row[3])

    async def touch(self, room: RoomId, now: Instant) -> None:
        await self._sql.run("UPDATE room SET updated_at = ? WHERE id = ?", now, room)

    async def remove(self, room: RoomId) -> None:
        await self._sql.run("DELETE FROM post WHERE room_id = ?", room)
        await self._sql.run("DELETE FROM room WHERE id = ?", room)

    async def is_member(self, room: RoomId, account: AccountId) -> bool:
        return (
            await self._sql.row(
                "SELECT 1 FROM membership WHERE room_id = ? AND account_id = ? AND left_event IS NULL",
                room,
                account,
            )
            is not None
        )

    async def members(self, room: RoomId) -> tuple[Member, ...]:
        rows = await self._sql.rows(
            "SELECT account_id, username FROM membership JOIN account ON account.id = membership.account_id"
            " WHERE room_id = ? AND left_event IS NULL ORDER BY joined_event, account_id",
            room,
        )
        return tuple(Member(*row) for row in rows)

    async def count_members(self, room: RoomId) -> int:
        row = await self._sql.row(
            "SELECT count(*) FROM membership WHERE room_id = ? AND left_event IS NULL", room
        )
        return 0 if row is None else int(row[0])

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        rows = await self._sql.rows(
            "SELECT room_id FROM membership WHERE account_id = ? AND left_event IS NULL ORDER BY joined_event",
            account,
        )
        return tuple(row[0] for row in rows)

    async def join(self, room: RoomId, accounts: Sequence[AccountId], event: EventId) -> None:
        await self._sql.run_many(
            "INSERT INTO membership (room_id, account_id, joined_event) VALUES (?, ?, ?)",
            [(room, account, event) for account in accounts],
        )

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None:
        await self._sql.run(
            "UPDATE membership SET left_event = ? WHERE room_id = ? AND account_id = ? AND left_event IS NULL",
            event,
            room,
            account,
        )

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> None:
        await self._sql.run(
            "UPDATE membership SET seen_post = ?"
            " WHERE room_id = ? AND account_id = ? AND left_event IS NULL AND seen_post < ?",
            post,
            room,
            account,
            post,
        )

    async def unread(self, room: RoomId, account: AccountId) -> int:
        row = await self._sql.row(
            "SELECT count(*) FROM membership JOIN post"
            " ON post.room_id = membership.room_id AND post.id > seen_post AND author_id <> account_id"
            " WHERE membership.room_id = ? AND account_id = ? AND left_event IS NULL",
            room,
            account,
        )
        return 0 if row is None else int(row[0])


class PostRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def add(self, room: RoomId, author: AccountId, content: str, now: Instant) -> PostId:
        row = await self._sql.row(
            "INSERT INTO post (room_id, author_id, content, created_at) VALUES (?, ?, ?, ?) RETURNING id",
            room,
            author,
            content,
            now,
        )
        assert row is not None  # noqa: S101  (an insert that returns gives a row)
        return PostId(row[0])

    async def by_id(self, post: PostId) -> Post | None:
        row = await self._sql.row(f"{POST_COLUMNS} WHERE post.id = ?", post)
        return None if row is None else _post(row)

    async def newest_ids(self, room: RoomId, limit: int) -> tuple[PostId, ...]:
        rows = await self._sql.rows(
            "SELECT id FROM post WHERE room_id = ? ORDER BY id DESC LIMIT ?", room, limit
        )
        return tuple(row[0] for row in reversed(rows))

    async def page(self, room: RoomId, before: PostId | None, limit: int) -> tuple[Post, ...]:
        older, parameters = ("", (room,)) if before is None else (" AND post.id < ?", (room, before))
        rows = await self._sql.rows(
            f"{POST_COLUMNS} WHERE room_id = ?{older} ORDER BY post.id DESC LIMIT ?", *parameters, limit
        )
        return tuple(_post(row) for row in reversed(rows))


class EventRows:
    """Beside writing events it remembers those of this transaction, for the store's listener."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self.appended: list[Event] = []

    async def append(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> Event:
        row = await self._sql.row(
            "INSERT INTO event (room_id, actor_id, at, change) VALUES (?, ?, ?, ?) RETURNING id",
            room,
            actor,
            now,
            _encode(change).decode(),
        )
        assert row is not None  # noqa: S101  (an insert that returns gives a row)
        event = Event(id=EventId(row[0]), room=room, actor=actor, at=now, change=change)
        self.appended.append(event)
        return event

    async def last_id(self) -> EventId:
        row = await self._sql.row("SELECT coalesce(max(id), 0) FROM event")
        return EventId(0 if row is None else row[0])
