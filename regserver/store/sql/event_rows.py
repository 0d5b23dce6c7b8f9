"""The event log. A post's event refers to the post and has no content of its own, so what goes with the post is gone."""

from itertools import takewhile

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId
from regserver.domain.room_event import Change, Edited, EventId, Position, Posted, RoomEvent
from regserver.ports.transaction import Lock
from regserver.store.sql.statement import Rows, Sql

# For each membership, the events of its room that lie within the membership and the requested range. CASE instead of two
# conditions, since an index scan begins at one bound, and it must be the narrower one.
SEEN = (
    " FROM membership JOIN event ON event.room_id = membership.room_id"
    " AND event.id > CASE WHEN joined_event > ? THEN joined_event - 1 ELSE ? END"
    " AND event.id <= CASE WHEN left_event IS NOT NULL AND left_event < ? THEN left_event ELSE ? END"
    " LEFT JOIN post ON post.id = event.post_id LEFT JOIN post_original ON post_original.post_id = event.post_id"
    " WHERE membership.account_id = ? AND (left_event IS NULL OR left_event > ?) AND joined_event <= ? AND actor_id <> ?"
    " AND (event.post_id IS NULL OR post.id IS NOT NULL) AND (event.id = joined_event OR change NOT LIKE ?)"
    " AND change NOT LIKE ?"
)
# What a post said at first, in its own event; in that of an edit what it says now.
CONTENT = "CASE WHEN change = '' THEN coalesce(post_original.content, post.content) ELSE post.content END"
SELECT_SEEN = (
    f"SELECT event.id, event.room_id, actor_id, at, change, event.post_id, {CONTENT}{SEEN}"
    " ORDER BY event.id LIMIT ?"
)

OFFER = '{"type":"offered"%'
"""Of the column change. An offer is for its guests, whose stay it begins and ends; members do not hear of it."""

EDIT = '{"type":"edit.%'
"""Of the column change: a post was edited or deleted."""
NONE_LIKE = "-"
"""No change is like this."""
EDITED = '{"type":"edit.changed"}'
"""As the log has it: the content is the post's."""

INSERT = "INSERT INTO event (room_id, actor_id, at, change, post_id) VALUES (?, ?, ?, ?, ?)"
CUT_AND_TIME = "SELECT position, at, (SELECT at FROM event WHERE id = ?) FROM event_cut"
AFTER = (
    f"SELECT event.id, event.room_id, actor_id, at, change, event.post_id, {CONTENT} FROM event"
    " LEFT JOIN post ON post.id = event.post_id LEFT JOIN post_original ON post_original.post_id = event.post_id WHERE event.id > ? ORDER BY event.id LIMIT ?"
)

_encode = msgspec.json.Encoder().encode
_decode: msgspec.json.Decoder[Change] = msgspec.json.Decoder(Change)


class EventRows(Rows):
    """The table event, and the unit's events for the store's listener.

    begin → append, append, … → append_last → append(*last), by SqlTransaction.run
    """

    def __init__(self, sql: Sql) -> None:
        super().__init__(sql)
        self.begin()

    def begin(self) -> None:
        """A unit begins, or is run again: drops the events of the last run."""
        self.appended: list[RoomEvent] = []
        self.last: tuple[RoomId, AccountId, Change, Instant] | None = None

    def append_last(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> None:
        """Keeps the event for the end of the unit."""
        self.last = (room, actor, change, now)

    async def append(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> RoomEvent:
        """The database assigns the id; under the lock ids follow the order of commits."""
        await self._sql.lock(Lock.LOG)
        statement, parameters = self.insertion(room, actor, change, now)
        number = await self._sql.insert(statement, *parameters)
        return self.took(number, room, actor, change, now)

    def insertion(
        self, room: RoomId, actor: AccountId, change: Change, now: Instant
    ) -> tuple[str, tuple[object, ...]]:
        """The statement that writes an event, and its parameters: for a store that sends it together with the commit."""
        match change:
            case Posted(post=post):
                return INSERT, (room, actor, now, "", post)
            case Edited(post=post):
                return INSERT, (room, actor, now, EDITED, post)
            case _:
                return INSERT, (room, actor, now, _encode(change).decode(), None)

    def took(self, number: int, room: RoomId, actor: AccountId, change: Change, now: Instant) -> RoomEvent:
        """An event was written under this number."""
        event = RoomEvent(EventId(number), room, actor, now, change)
        self.appended.append(event)
        return event

    async def after(self, position: EventId, limit: int) -> list[tuple[Position, RoomEvent | None]]:
        """All events after an id, of every room, in their order; None for one whose post there is no longer."""
        return [
            (
                Position(number, at),
                None
                if post and content is None
                else RoomEvent(number, room, actor, at, _change(text, post, content)),
            )
            for number, room, actor, at, text, post, content in await self._sql.rows(AFTER, position, limit)
        ]

    async def end(self) -> Position:
        """Uses the primary key; an empty table ends at the cut."""
        row = await self._sql.row("SELECT id, at FROM event ORDER BY id DESC LIMIT 1")
        return await self.cut() if row is None else Position(*row)

    async def cut(self) -> Position:
        """The one row of event_cut."""
        row = await self._sql.row("SELECT position, at FROM event_cut")
        assert row is not None  # noqa: S101  (the migration writes it)
        return Position(*row)

    async def reaches(self, position: Position) -> bool:
        """Compares the time too: after a restore another event may have the id."""
        cut, at = await self._cut_and_time(position.id)
        return position == cut or position.at == at

    async def continues(self, known: Position, read: EventId) -> bool:
        """One statement, by primary keys."""
        cut, at = await self._cut_and_time(known.id)
        return cut.id <= read and (known.id <= cut.id or known.at == at)

    async def _cut_and_time(self, number: EventId) -> tuple[Position, Instant | None]:
        """The cut, and the time of an event, None where there is none."""
        row = await self._sql.row(CUT_AND_TIME, number)
        assert row is not None  # noqa: S101  (as above)
        position, cut_at, at = row
        return Position(position, cut_at), at

    async def count_seen(
        self, account: AccountId, start: EventId, end: EventId, *, echo: bool, edits: bool = False
    ) -> int:
        """Takes time in proportion to the count."""
        return int(
            await self._sql.value(
                f"SELECT count(*){SEEN}", *_range(account, start, end, echo=echo, edits=edits)
            )
        )

    async def seen(
        self, account: AccountId, start: EventId, end: EventId, limit: int, *, echo: bool, edits: bool = False
    ) -> tuple[RoomEvent, ...]:
        """Ordered by id over all rooms."""
        rows = await self._sql.rows(SELECT_SEEN, *_range(account, start, end, echo=echo, edits=edits), limit)
        return tuple(
            [
                RoomEvent(number, room, actor, at, _change(text, post, content))
                for number, room, actor, at, text, post, content in rows
            ]
        )

    async def trim(self, before: Instant, limit: int) -> int:
        """Reads one event more than it removes, so that the newest always stays."""
        rows = await self._sql.rows("SELECT id, at FROM event ORDER BY id LIMIT ?", limit + 1)
        doomed = list(takewhile(lambda row: row[1] < before, rows[:-1]))
        if doomed:
            position, at = doomed[-1]
            await self._sql.run("DELETE FROM event WHERE id <= ?", position)
            await self._sql.run(
                "UPDATE event_cut SET position = ?, at = ? WHERE position < ?", position, at, position
            )
            await self._sql.run("DELETE FROM membership WHERE left_event <= ?", position)
        return len(doomed)


def _change(text: str, post: PostId | None, content: str) -> Change:
    if post is None:
        return _decode.decode(text)
    return Edited(post, content) if text else Posted(post, content)


def _range(
    account: AccountId, start: EventId, end: EventId, *, echo: bool, edits: bool
) -> tuple[int | str, ...]:
    """The parameters of SEEN, in its order. Nobody has the id 0."""
    return (
        start,
        start,
        end,
        end,
        account,
        start,
        end,
        0 if echo else account,
        OFFER,
        NONE_LIKE if edits else EDIT,
    )
