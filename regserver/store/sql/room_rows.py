"""Rooms and memberships."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import (
    LARGE_ROOM,
    MAX_LISTED_BYTES,
    MEMBERS_SHOWN,
    Member,
    Post,
    PostId,
    Room,
    RoomId,
    RoomPage,
    RoomSummary,
    room_title,
)
from regserver.domain.room_event import EventId, RoomEvent
from regserver.ports.room_table import RoomAccess
from regserver.store.sql.account_rows import shown_name
from regserver.store.sql.statement import Kept, Rows

# The number of the account's own posts in the room: all of them, or up to its unread mark.
OWN = (
    "coalesce((SELECT author_ordinal FROM post WHERE post.room_id = mine.room_id"
    " AND author_id = mine.account_id{upto} ORDER BY id DESC LIMIT 1), 0)"
)


# The room's posts after the mark, without the account's own, as a difference of ordinals: look-ups instead of counting.
UNREAD = (
    "coalesce(last.ordinal, 0) - coalesce((SELECT ordinal FROM post WHERE post.room_id = mine.room_id"
    " AND post.id <= mine.seen_post ORDER BY id DESC LIMIT 1), 0)"
    f" - {OWN.format(upto='')} + {OWN.format(upto=' AND post.id <= mine.seen_post')}"
)


SUMMARIES = (
    "SELECT room.id, room.name, room.created_at, room.updated_at, room.members,"
    f" last.id, last.room_id, last.author_id, {shown_name('author')}, last.content, last.created_at, last.edited_at,"
    f" {UNREAD}"
    " FROM membership AS mine JOIN room ON room.id = mine.room_id"
    " LEFT JOIN post AS last ON last.id = (SELECT max(id) FROM post WHERE post.room_id = mine.room_id)"
    " LEFT JOIN account AS author ON author.id = last.author_id"
    " WHERE mine.account_id = ? AND mine.left_event IS NULL{older} ORDER BY mine.joined_event DESC LIMIT ?"
)
OLDER = (
    " AND mine.joined_event < (SELECT joined_event FROM membership"
    " WHERE room_id = ? AND account_id = mine.account_id AND left_event IS NULL)"
)

NEWEST_SUMMARIES, OLDER_SUMMARIES = SUMMARIES.format(older=""), SUMMARIES.format(older=OLDER)

MEMBERS = (
    "SELECT room_id, account_id, username FROM membership JOIN account ON account.id = membership.account_id"
    " WHERE left_event IS NULL AND room_id"
)

# Without names: many rooms have the same members, and a room with a name of its own shows no others.
MEMBER_IDS = "SELECT room_id, account_id FROM membership WHERE left_event IS NULL AND room_id"
USERNAMES = "SELECT id, username FROM account WHERE id"

INHERIT = (
    "UPDATE room SET owner_id = (SELECT account_id FROM membership WHERE membership.room_id = room.id"
    " AND left_event IS NULL ORDER BY joined_event, account_id LIMIT 1) WHERE id = ? AND owner_id = ?"
)

# A guest shares a room with the account: one that the guest has joined alone, with friends, or has read in.
FELLOW = (
    "SELECT DISTINCT theirs.account_id FROM membership AS theirs"
    " JOIN membership AS mine ON mine.room_id = theirs.room_id"
    " WHERE mine.account_id = ? AND mine.left_event IS NULL AND theirs.left_event IS NULL"
    " AND (theirs.stranger_at IS NULL OR theirs.seen_post > 0) AND theirs.account_id"
)

ACCESS = Kept(
    "SELECT id, name, created_at, updated_at, members, EXISTS (SELECT 1 FROM membership"
    " WHERE room_id = room.id AND account_id = ? AND left_event IS NULL) FROM room WHERE id = ?",
    frozenset({"room", "membership"}),
    lambda row: RoomAccess(Room(*row[:5]), bool(row[5])),
)

# COLLATE: a database of PostgreSQL may sort as a language does. On SQLite it is the index's own.
BEGINS = "account.name_key COLLATE BINARY >= ? AND account.name_key COLLATE BINARY < ?"
BEHIND_ALL = "\U0010ffff"
"""Sorts behind every character that a name may have."""
KNOWN = (
    "SELECT DISTINCT account.id, account.username, account.name_key COLLATE BINARY AS sorted FROM membership AS mine"
    " JOIN membership AS theirs ON theirs.room_id = mine.room_id AND theirs.left_event IS NULL"
    " JOIN account ON account.id = theirs.account_id"
    " WHERE mine.account_id = ? AND mine.left_event IS NULL AND account.id <> ? AND account.deleted_at IS NULL"
    f" AND {BEGINS} ORDER BY sorted LIMIT ?"
)

EVERYBODY = (
    "SELECT id, username FROM account WHERE id <> ? AND deleted_at IS NULL AND suspended_at IS NULL"
    f" AND waits_for IS NULL AND {BEGINS} ORDER BY name_key COLLATE BINARY LIMIT ?"
)

SUMMARY_BYTES = 250
"""The names of a summary's fields and of its last post's, with ids and times."""
ID_BYTES, NAME_BYTES = 17, 36
"""The most of a member's id, and of the name where the members' names are the room's."""


_encode = msgspec.json.Encoder().encode


class RoomRows(Rows):
    """The tables room and membership. A membership without left_event is current."""

    async def add(self, name: str | None, now: Instant) -> RoomId:
        """The database assigns the id."""
        statement = "INSERT INTO room (name, created_at, updated_at) VALUES (?, ?, ?)"
        return RoomId(await self._sql.insert(statement, name, now, now))

    async def access(self, room: RoomId, account: AccountId) -> RoomAccess | None:
        """The room and the membership in one statement."""
        return await self._sql.kept(ACCESS, account, room)

    async def all(self, after: RoomId, limit: int) -> tuple[Room, ...]:
        """By the primary key."""
        statement = (
            "SELECT id, name, created_at, updated_at, members FROM room WHERE id > ? ORDER BY id LIMIT ?"
        )
        return tuple([Room(*row) for row in await self._sql.rows(statement, after, limit)])

    async def give(self, room: RoomId, account: AccountId) -> None:
        """By the primary key."""
        await self._sql.run("UPDATE room SET owner_id = ? WHERE id = ?", account, room)

    async def owner(self, room: RoomId) -> AccountId | None:
        """By the primary key."""
        row = await self._sql.row("SELECT owner_id FROM room WHERE id = ?", room)
        return None if row is None else row[0]

    async def rename(self, room: RoomId, name: str) -> None:
        """By the primary key."""
        await self._sql.run("UPDATE room SET name = ? WHERE id = ?", name, room)

    async def members_after(self, room: RoomId, after: AccountId, limit: int) -> tuple[Member, ...]:
        """Uses the index of present members."""
        statement = f"{MEMBERS} = ? AND account_id > ? ORDER BY account_id LIMIT ?"
        return tuple([Member(*row[1:]) for row in await self._sql.rows(statement, room, after, limit)])

    async def known_names(self, account: AccountId, start: str, limit: int) -> tuple[Member, ...]:
        """Uses the index of the account's memberships, then those of their rooms."""
        rows = await self._sql.rows(KNOWN, account, account, start, start + BEHIND_ALL, limit)
        return tuple([Member(*row[:2]) for row in rows])

    async def all_names(self, account: AccountId, start: str, limit: int) -> tuple[Member, ...]:
        """By the index of names on SQLite. On PostgreSQL reads all names: of very many people a look takes a while."""
        rows = await self._sql.rows(EVERYBODY, account, start, start + BEHIND_ALL, limit)
        return tuple([Member(*row[:2]) for row in rows])

    async def touch(self, room: RoomId, now: Instant) -> None:
        """Every change of a room calls it."""
        await self._sql.run("UPDATE room SET updated_at = ? WHERE id = ?", now, room)

    async def remove(self, room: RoomId) -> None:
        """Posts first, since they refer to the room."""
        await self._sql.run("DELETE FROM post WHERE room_id = ?", room)
        await self._sql.run("DELETE FROM room WHERE id = ?", room)

    async def present(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts, by the index of current memberships."""
        # With a column that membership_present lacks: SQLite would read that one, and so all members of the room.
        current = "SELECT account_id, seen_post FROM membership WHERE room_id = ? AND left_event IS NULL"
        return {row[0] for row in await self._among(accounts, f"{current} AND account_id", room)}

    async def members(self, room: RoomId, limit: int | None = None) -> tuple[Member, ...]:
        """With their names, in one statement."""
        statement = f"{MEMBERS} = ? ORDER BY joined_event, account_id{'' if limit is None else ' LIMIT ?'}"
        rows = await self._sql.rows(statement, room, *([] if limit is None else [limit]))
        return tuple([Member(*row[1:]) for row in rows])

    async def fellows(self, account: AccountId, others: Sequence[AccountId]) -> set[AccountId]:
        """A statement for every MAX_LIST accounts."""
        return {row[0] for row in await self._among(others, FELLOW, account)}

    async def crowded(self, accounts: Sequence[AccountId], since: Instant, most: int) -> set[AccountId]:
        """Uses the index of what strangers did; counted here, since `_among` ends with the list."""
        recent = "SELECT account_id FROM membership WHERE stranger_at > ? AND account_id"
        counts = Counter(row[0] for row in await self._among(accounts, recent, since))
        return {account for account, count in counts.items() if count >= most}

    async def is_alone(self, room: RoomId, account: AccountId) -> bool:
        """Stops at the first other member."""
        others = "membership WHERE room_id = ? AND left_event IS NULL AND account_id <> ?"
        return await self._sql.row(f"SELECT 1 FROM {others} LIMIT 1", room, account) is None

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """Uses the index of an account's memberships."""
        current = "membership WHERE account_id = ? AND left_event IS NULL"
        rows = await self._sql.rows(f"SELECT room_id FROM {current} ORDER BY joined_event", account)
        return tuple(row[0] for row in rows)

    async def page(self, account: AccountId, before: RoomId | None, limit: int) -> RoomPage:
        """The rooms with their last posts, then the members of those that the page has room for."""
        if before is None:
            rows = await self._sql.rows(NEWEST_SUMMARIES, account, limit + 1)
        else:
            rows = await self._sql.rows(OLDER_SUMMARIES, account, before, limit + 1)
        shown = list(_fitting(rows[:limit]))
        shown.reverse()
        members = await self._members_of(shown)
        usernames = await self._usernames({one for row in shown if row[1] is None for one in members[row[0]]})
        summaries = []
        for row in shown:
            room, those = Room(*row[:5]), members[row[0]]
            names = [usernames[one] for one in those] if room.name is None else ()
            last = None if row[5] is None else Post(*row[5:12])
            summaries.append(
                RoomSummary(
                    room=room, name=room_title(room, names), members=those, last_post=last, unread=row[12]
                )
            )
        return RoomPage(tuple(summaries), more=len(rows) > len(shown))

    async def _members_of(self, rows: Sequence[tuple[Any, ...]]) -> dict[RoomId, tuple[AccountId, ...]]:
        """The members to be shown of the rooms of SUMMARIES."""
        small = [row[0] for row in rows if row[4] <= LARGE_ROOM]
        # By an index that has all of it in this order.
        found = await self._among(small, MEMBER_IDS, order=" ORDER BY room_id, joined_event, account_id")
        members = {room: tuple([one for _, one in those]) for room, those in groupby(found, itemgetter(0))}
        for room in (row[0] for row in rows if row[4] > LARGE_ROOM):
            members[room] = tuple([member.account for member in await self.members(room, MEMBERS_SHOWN)])
        return members

    async def _usernames(self, accounts: Collection[AccountId]) -> dict[AccountId, str]:
        return dict(await self._among(list(accounts), USERNAMES))

    async def join(
        self, event: RoomEvent, accounts: Sequence[AccountId], strangers: Collection[AccountId] = ()
    ) -> None:
        """The unique index of current memberships settles a race."""
        await self._add(event, accounts, strangers, None)
        change = "UPDATE room SET members = members + ? WHERE id = ?"
        await self._sql.run(change, len(accounts), event.room)

    async def ask_in(
        self, event: RoomEvent, accounts: Sequence[AccountId], strangers: Collection[AccountId]
    ) -> None:
        """A stay that ends with the event that begins it."""
        await self._add(event, accounts, strangers, event.id)

    async def _add(
        self,
        event: RoomEvent,
        accounts: Sequence[AccountId],
        strangers: Collection[AccountId],
        left: EventId | None,
    ) -> None:
        statement = (
            "INSERT INTO membership (room_id, account_id, joined_event, left_event, stranger_at)"
            " VALUES (?, ?, ?, ?, ?)"
        )
        rows = [
            (event.room, account, event.id, left, event.at if account in strangers else None)
            for account in accounts
        ]
        await self._sql.run_many(statement, rows)

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None:
        """Does nothing if the account is not a member."""
        current = "room_id = ? AND account_id = ? AND left_event IS NULL"
        if await self._sql.run(f"UPDATE membership SET left_event = ? WHERE {current}", event, room, account):
            await self._sql.run("UPDATE room SET members = members - 1 WHERE id = ?", room)
            await self._sql.run(INHERIT, room, account)

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> bool:
        """One UPDATE that compares and writes."""
        statement = (
            "UPDATE membership SET seen_post = ?"
            " WHERE room_id = ? AND account_id = ? AND left_event IS NULL AND seen_post < ?"
        )
        return await self._sql.run(statement, post, room, account, post) > 0


def _fitting(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The first rows of SUMMARIES that take up MAX_LISTED_BYTES at most; the first one in any case."""
    size = 0
    for row in rows:
        name, members, content = row[1], row[4], row[9]
        shown = MEMBERS_SHOWN if members > LARGE_ROOM else members
        names = NAME_BYTES * shown if name is None else len(_encode(name))
        size += SUMMARY_BYTES + ID_BYTES * shown + names + len(_encode(content))
        if size > MAX_LISTED_BYTES and row is not rows[0]:
            return
        yield row
