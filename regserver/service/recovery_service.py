"""Recovery: a socket's start in the event log, and the events that it missed.

    begin → pages from the log, one short snapshot each → the page that reaches the end → the broker takes over

Nothing is buffered meanwhile: new events are in the log too, and pages are read until one reaches the end of the log. The
broker has all events after that page in memory. So no event is missed or sent twice, however slow the client is.
"""

import msgspec
import trio

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, Position, RoomEvent, content_length
from regserver.domain.secret import SecretHash
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.room_admission import RoomAdmission, Unadmitted

PAGE_EVENTS = 200
"""Events per page; reading them holds up the event loop for a millisecond or two, since both need the interpreter."""
PAGE_CHARACTERS = 128 * 1024
"""Characters of posts per page, which bound the memory of a slow client."""
FIRST_WINDOW = 4 * PAGE_EVENTS
CATCH_UPS = 2
"""Sockets whose past is read and encoded at the same time. Others wait their turn, so that clients that all return at once,
after a restart, leave the server to everybody else."""


class Beginning(msgspec.Struct, frozen=True):
    """The rooms of an account at one position of the log."""

    rooms: tuple[RoomId, ...]
    position: Position


class Resumption(msgspec.Struct, frozen=True):
    """The start of a stream. recovered: whether all events since the client's position follow. missed: the present
    number of these events."""

    start: Position
    recovered: bool
    missed: int


class Page(msgspec.Struct, frozen=True):
    """Some missed events. end: the position up to which the log was read. known: the last event that was met, if any.

    whole: whether the whole window was read. rooms: the account's rooms if the page reaches the end of the log, else None.
    """

    events: tuple[RoomEvent, ...]
    end: EventId
    known: Position | None
    whole: bool
    rooms: tuple[RoomId, ...] | None


class RecoveryService:
    """Finds the start of a socket in the log. The token is checked in the same snapshot.

    turns: taken by a socket while its past is read, not while its client is waited for.
    """

    def __init__(self, store: Store, admission: RoomAdmission) -> None:
        self._store = store
        self._admission = admission
        self.turns = trio.Semaphore(CATCH_UPS)

    async def beginning(self, token: SecretHash) -> Beginning | Unadmitted:
        """The start of a socket without recovery."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> Beginning:
            return Beginning(await transaction.rooms.of_account(account.id), await transaction.events.end())

        return await self._admission.read(token, act)

    async def begin(
        self, token: SecretHash, since: Position | None, *, echo: bool = False, edits: bool = False
    ) -> Resumption | Unadmitted:
        """The start of a socket with recovery. since: the client's position; None begins at the end of the log.

        echo, edits: see `audience`.
        """

        async def act(transaction: Transaction, account: Account, _now: Instant) -> Resumption:
            end = await transaction.events.end()
            if since is None:
                return Resumption(end, recovered=True, missed=0)
            if not await transaction.events.reaches(since):
                return Resumption(end, recovered=False, missed=0)
            missed = await transaction.events.count_seen(account.id, since.id, end.id, echo=echo, edits=edits)
            return Resumption(since, recovered=True, missed=missed)

        return await self._admission.read(token, act)

    def reader(
        self, account: AccountId, start: Position, *, echo: bool = False, edits: bool = False
    ) -> "LogReader":
        """A reader of the events that `account` sees after `start`. echo, edits: see `audience`."""
        return LogReader(self._store, account, start, echo=echo, edits=edits)


class LogReader:
    """Reads the events that one account sees, page by page.

    A page covers a window of positions. The window grows when it contains few of these events and shrinks when it
    contains many, so that both a quiet account in a long log and a busy one cost about what they receive.
    """

    def __init__(self, store: Store, account: AccountId, start: Position, *, echo: bool, edits: bool) -> None:
        self._store = store
        self._echo = echo
        self._edits = edits
        self._account = account
        self._known = start  # the last event of the log that was seen
        self._position = start.id
        self._window = FIRST_WINDOW
        self._limit = PAGE_EVENTS

    async def next(self) -> Page | None:
        """The next page, possibly without events; None when what follows the reader's position is not in the log.

        It was trimmed beyond it, or has gone back behind it.
        """
        page = await self._store.read(self._read)
        if page is not None:
            self._known, self._position = page.known or self._known, page.end
            self._adapt(page)
        return page

    def _adapt(self, page: Page) -> None:
        count = len(page.events)
        if not page.whole:
            self._window = max(PAGE_EVENTS, self._window // 2)
        elif count < PAGE_EVENTS // 2:
            self._window *= 2
        # Events that did not fit into the page are read again. So the next limit is the number that fitted, and doubles
        # after a page that had room.
        self._limit = (
            max(1, count) if count < self._limit and not page.whole else min(PAGE_EVENTS, 2 * self._limit)
        )

    async def _read(self, transaction: Transaction) -> Page | None:
        if not await transaction.events.continues(self._known, self._position):
            return None
        log_end = await transaction.events.end()
        end = EventId(min(log_end.id, self._position + self._window))
        found = await transaction.events.seen(
            self._account, self._position, end, self._limit, echo=self._echo, edits=self._edits
        )
        events = _fitting(found)
        whole = len(events) < self._limit and len(events) == len(found)
        if not whole:
            end = events[-1].id
        known = events[-1].position if events else None
        if end != log_end.id:
            return Page(events, end, known, whole, None)
        return Page(events, end, log_end, whole, await transaction.rooms.of_account(self._account))


def _fitting(events: tuple[RoomEvent, ...]) -> tuple[RoomEvent, ...]:
    """The first events with at most PAGE_CHARACTERS of posts, but at least one."""
    size = 0
    for number, event in enumerate(events):
        size += content_length(event.change)
        if size > PAGE_CHARACTERS and number:
            return events[:number]
    return events
