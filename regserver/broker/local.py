"""Fan-out within one process.

    store's commit → publish_nowait → the lane of plain sockets    (a queue per room)
                                    → the lane of resumable ones   (one queue: cursors stand for all rooms at once)

A new socket knows its rooms as of a position of the log. The newest events are kept at hand, and those after that
position are applied to it at once; when it is more than a few, the socket is sent back to the log.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile

import trio

from regserver.broker.lane import FrameMaker, Lane, Seat
from regserver.domain.account import AccountId
from regserver.domain.instant import HOUR, Instant, after
from regserver.domain.outcome import BadToken, Refusal
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, RoomEvent
from regserver.domain.secret import SecretHash
from regserver.endpoint import Broadcast
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.subscriber import Subscriber

RECENT_EVENTS = 1024
"""At hand for new sockets: what is posted between a snapshot and its use, also when the loop is busy for a while."""
END_SECONDS = 0.5
LONGEST_SLEEP = HOUR
"""Somebody may set the system's clock meanwhile."""


class LocalBroker(Broker):
    """Opened by `open_local_broker`."""

    def __init__(self, plain: Lane, resumable: Lane, clock: Clock) -> None:
        self._plain = plain
        self._resumable = resumable
        self._seats: dict[Subscriber, Seat] = {}
        self._accounts: dict[AccountId, set[Subscriber]] = {}
        self._recent: deque[RoomEvent] = deque(maxlen=RECENT_EVENTS)
        self._forgotten = EventId(0)  # events up to here are not at hand
        self._gone: dict[AccountId, trio.Event] = {}
        self._clock = clock
        self._next_end = Instant(0)  # no token of those who are in ends before this
        self._earlier_end = trio.Event()

    # --- subscribers
    def enter_nowait(self, subscriber: Subscriber) -> None:
        self._accounts.setdefault(subscriber.account, set()).add(subscriber)
        if subscriber.expires_at < self._next_end:
            self._earlier_end.set()

    def attach_nowait(self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId) -> bool:
        if as_of < self._forgotten:
            return False
        newest_first = list(takewhile(lambda event: event.id > as_of, reversed(self._recent)))
        seat = self._lane(subscriber).seat(subscriber, rooms, as_of, reversed(newest_first))
        self._seats[subscriber] = seat
        return True

    def detach_nowait(self, subscriber: Subscriber) -> None:
        if (seat := self._seats.pop(subscriber, None)) is not None:
            self._lane(subscriber).remove(seat)
        mates = self._accounts[subscriber.account]
        mates.discard(subscriber)
        if not mates:
            del self._accounts[subscriber.account]
            if (gone := self._gone.pop(subscriber.account, None)) is not None:
                gone.set()

    def _lane(self, subscriber: Subscriber) -> Lane:
        return self._resumable if subscriber.resumable else self._plain

    # --- events
    def publish_nowait(self, events: Sequence[RoomEvent]) -> None:
        for event in events:
            if len(self._recent) == RECENT_EVENTS:
                self._forgotten = self._recent[0].id
            self._recent.append(event)
            self._plain.publish_nowait(event)
            self._resumable.publish_nowait(event)

    # --- endings
    def end_token_nowait(self, token: SecretHash, reason: Refusal) -> None:
        for subscriber in self._all():
            if subscriber.token == token:
                subscriber.end_nowait(reason)

    def _all(self) -> list[Subscriber]:
        return [subscriber for subscribers in self._accounts.values() for subscriber in subscribers]

    async def run_expiry(self) -> None:
        """Ends sockets whose token has expired, until cancelled. One task for all: a timer takes a kilobyte of each."""
        while True:
            now = self._clock.now()
            self._earlier_end = trio.Event()
            self._next_end = after(now, LONGEST_SLEEP)
            for subscriber in self._all():
                if subscriber.expires_at <= now:
                    subscriber.end_nowait(BadToken())
                else:
                    self._next_end = min(self._next_end, subscriber.expires_at)
            with trio.move_on_after((self._next_end - now) / 1000):
                await self._earlier_end.wait()

    def end_account_nowait(
        self, account: AccountId, reason: Refusal | None, *, but: SecretHash | None = None
    ) -> None:
        for subscriber in list(self._accounts.get(account, ())):
            if subscriber.token != but:
                subscriber.end_nowait(reason)

    async def end_account(self, account: AccountId) -> None:
        """Waits for the peers' part of the closing handshake no longer than END_SECONDS; our part is done by then."""
        self.end_account_nowait(account, None)
        if account in self._accounts:
            gone = self._gone.setdefault(account, trio.Event())
            with trio.move_on_after(END_SECONDS):
                await gone.wait()


@asynccontextmanager
async def open_local_broker(
    plain: FrameMaker, resumable: FrameMaker, broadcast: Broadcast, count: Callable[[int], None], clock: Clock
) -> AsyncIterator[LocalBroker]:
    """Owns the nursery of the pumps and the expiry; what is queued when it is left is not delivered, since the sockets are gone.

    plain, resumable: how the two kinds of frames are made. broadcast: how they are sent. count: told how many sockets frames were handed to.
    """
    async with trio.open_nursery() as nursery:
        broker = LocalBroker(
            Lane(plain, broadcast, nursery, count, ordered=False),
            Lane(resumable, broadcast, nursery, count, ordered=True),
            clock,
        )
        nursery.start_soon(broker.run_expiry)
        yield broker
        nursery.cancel_scope.cancel()
