"""Rooms and memberships."""

from collections.abc import Sequence
from itertools import groupby

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Member, Post, PostId, Room, RoomId, RoomSummary
from regserver.domain.room_event import EventId
from regserver.ports.room_table import RoomAccess
from regserver.store.sql.statement import Rows

# The number of the account's own posts in the room: all of them, or up to its unread mark.
OWN = (
    "coalesce((SELECT author_ordinal FROM post WHERE post.room_id = mine.room_id"
    " AND author_id = mine.account_id{upto} ORDER BY id DESC LIMIT 1), 0)"
)


# The room's posts after the mark, without the account's own, as a difference of ordinals: look-ups instead of counting.
UNREAD = (
    "coalesce(last.ordinal, 0) - coalesce((SELECT ordinal FROM post WHERE post.id = mine.seen_post), 0)"
    f" - {OWN.format(upto='')} + {OWN.format(upto=' AND post.id <= mine.seen_post')}"
)


SUMMARIES = (
    "SELECT room.id, room.name, room.created_at, room.updated_at,"
    " last.id, last.room_id, last.author_id, author.username, last.content, last.created_at,"
    f" {UNREAD}"
    " FROM membership AS mine JOIN room ON room.id = mine.room_id"
    " LEFT JOIN post AS last ON last.id = (SELECT max(id) FROM post WHERE post.room_id = mine.room_id)"
    " LEFT JOIN account AS author ON author.id = last.author_id"
    " WHERE mine.account_id = ? AND mine.left_event IS NULL ORDER BY mine.joined_event"
)


FELLOW_MEMBERS = (
    "SELECT other.room_id, other.account_id, username FROM membership AS mine"
    " JOIN membership AS other ON other.room_id = mine.room_id"
    " JOIN account ON account.id = other.account_id"
    " WHERE mine.account_id = ? AND mine.left_event IS NULL AND other.left_event IS NULL"
    " ORDER BY other.room_id, other.joined_event, other.account_id"
)


class RoomRows(Rows):
    """The tables room and membership. A membership without left_event is current."""

    async def add(self, name: str | None, now: Instant) -> RoomId:
        """The database assigns the id."""
        statement = "INSERT INTO room (name, created_at, updated_at) VALUES (?, ?, ?) RETURNING id"
        return RoomId(await self._sql.value(statement, name, now, now))

    async def access(self, room: RoomId, account: AccountId) -> RoomAccess | None:
        """The room and the membership in one statement."""
        statement = (
            "SELECT id, name, created_at, updated_at, EXISTS (SELECT 1 FROM membership"
            " WHERE room_id = room.id AND account_id = ? AND left_event IS NULL) FROM room WHERE id = ?"
        )
        row = await self._sql.row(statement, account, room)
        return None if row is None else RoomAccess(Room(*row[:4]), bool(row[4]))

    async def touch(self, room: RoomId, now: Instant) -> None:
        """Every change of a room calls it."""
        await self._sql.run("UPDATE room SET updated_at = ? WHERE id = ?", now, room)

    async def remove(self, room: RoomId) -> None:
        """Posts first, since they refer to the room."""
        await self._sql.run("DELETE FROM post WHERE room_id = ?", room)
        await self._sql.run("DELETE FROM room WHERE id = ?", room)

    async def present(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts."""
        current = "SELECT account_id FROM membership WHERE room_id = ? AND left_event IS NULL"
        return {row[0] for row in await self._among(accounts, f"{current} AND account_id", room)}

    async def members(self, room: RoomId) -> tuple[Member, ...]:
        """With their names, in one statement."""
        statement = (
            "SELECT account_id, username FROM membership JOIN account ON account.id = membership.account_id"
            " WHERE room_id = ? AND left_event IS NULL ORDER BY joined_event, account_id"
        )
        return tuple([Member(*row) for row in await self._sql.rows(statement, room)])

    async def count_members(self, room: RoomId) -> int:
        """Uses the index of current memberships."""
        statement = "SELECT count(*) FROM membership WHERE room_id = ? AND left_event IS NULL"
        return int(await self._sql.value(statement, room))

    async def is_alone(self, room: RoomId, account: AccountId) -> bool:
        """Stops at the first other member."""
        others = "membership WHERE room_id = ? AND left_event IS NULL AND account_id <> ?"
        return await self._sql.row(f"SELECT 1 FROM {others} LIMIT 1", room, account) is None

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """Uses the index of an account's memberships."""
        current = "membership WHERE account_id = ? AND left_event IS NULL"
        rows = await self._sql.rows(f"SELECT room_id FROM {current} ORDER BY joined_event", account)
        return tuple(row[0] for row in rows)

    async def summaries(self, account: AccountId) -> tuple[RoomSummary, ...]:
        """Two statements: the members of all rooms, then the rooms themselves."""
        fellows = {
            room: tuple(Member(row[1], row[2]) for row in rows)
            for room, rows in groupby(await self._sql.rows(FELLOW_MEMBERS, account), lambda row: row[0])
        }
        return tuple(
            RoomSummary(
                room=Room(*row[:4]),
                members=fellows[row[0]],
                last_post=None if row[4] is None else Post(*row[4:10]),
                unread=row[10],
            )
            for row in await self._sql.rows(SUMMARIES, account)
        )

    async def join(self, room: RoomId, accounts: Sequence[AccountId], event: EventId) -> None:
        """The unique index of current memberships settles a race."""
        statement = "INSERT INTO membership (room_id, account_id, joined_event) VALUES (?, ?, ?)"
        await self._sql.run_many(statement, [(room, account, event) for account in accounts])

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None:
        """Does nothing if the account is not a member."""
        current = "room_id = ? AND account_id = ? AND left_event IS NULL"
        await self._sql.run(f"UPDATE membership SET left_event = ? WHERE {current}", event, room, account)

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> None:
        """One UPDATE that compares and writes."""
        statement = (
            "UPDATE membership SET seen_post = ?"
            " WHERE room_id = ? AND account_id = ? AND left_event IS NULL AND seen_post < ?"
        )
        await self._sql.run(statement, post, room, account, post)
