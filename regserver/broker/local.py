"""Fan-out within one process.

    store's commit → publish_nowait → plain sockets       (a queue for each room)
                                    → resumable sockets   (one queue: a cursor stands for all rooms at once)

A new socket knows its rooms as of a position of the log. The newest events are kept in memory. Those after that
position are applied to the socket at once; when some of them are no longer in memory, the socket reads the log again.

Every method that ends with `_nowait` runs to its end without a checkpoint, so none of them sees another half done.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile

import trio

from regserver.broker.delivery_queue import DeliveryQueue, FrameMaker, Subscription
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
"""Kept for new sockets: enough for what is posted between a socket's snapshot and its use, even on a busy loop."""
END_SECONDS = 0.5
LONGEST_SLEEP = HOUR
"""The system's clock may be set forward meanwhile, so no sleep is longer than this."""


class LocalBroker(Broker):
    """The broker of a server with one process. Made by `open_local_broker`."""

    def __init__(self, plain: DeliveryQueue, resumable: DeliveryQueue, clock: Clock) -> None:
        self._plain = plain
        self._resumable = resumable
        self._subscriptions: dict[Subscriber, Subscription] = {}
        self._accounts: dict[AccountId, set[Subscriber]] = {}
        self._recent: deque[RoomEvent] = deque(maxlen=RECENT_EVENTS)
        self._forgotten = EventId(0)  # events up to here are no longer in memory
        self._gone: dict[AccountId, trio.Event] = {}
        self._clock = clock
        self._next_end = Instant(0)  # no token of a subscriber expires before this
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
        queue = self._queue(subscriber)
        self._subscriptions[subscriber] = queue.attach(subscriber, rooms, as_of, reversed(newest_first))
        return True

    def detach_nowait(self, subscriber: Subscriber) -> None:
        if (subscription := self._subscriptions.pop(subscriber, None)) is not None:
            self._queue(subscriber).detach(subscription)
        of_account = self._accounts[subscriber.account]
        of_account.discard(subscriber)
        if not of_account:
            del self._accounts[subscriber.account]
            if (gone := self._gone.pop(subscriber.account, None)) is not None:
                gone.set()

    def _queue(self, subscriber: Subscriber) -> DeliveryQueue:
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
        """A copy, since ending a subscriber may detach it."""
        return [subscriber for subscribers in self._accounts.values() for subscriber in subscribers]

    async def run_expiry(self) -> None:
        """Ends sockets whose token has expired, until cancelled. One task for all: a timer each would take a kilobyte each."""
        while True:
            now = self._clock.now()
            # Made anew before the look at all, so that a subscriber who enters afterwards wakes this task.
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
        """Ends the account's sockets and waits until they are detached, at most END_SECONDS.

        Our Close frames are sent by then; a peer that does not answer its own is not waited for.
        """
        self.end_account_nowait(account, None)
        if account in self._accounts:
            gone = self._gone.setdefault(account, trio.Event())
            with trio.move_on_after(END_SECONDS):
                await gone.wait()


@asynccontextmanager
async def open_local_broker(
    plain: FrameMaker, resumable: FrameMaker, broadcast: Broadcast, count: Callable[[int], None], clock: Clock
) -> AsyncIterator[LocalBroker]:
    """Owns the nursery of the workers and the expiry. What is still queued on leaving is dropped: the sockets are gone.

    plain, resumable: make the two kinds of frames. broadcast: sends them. count: told how many sockets were sent to.
    """
    async with trio.open_nursery() as nursery:
        broker = LocalBroker(
            DeliveryQueue(plain, broadcast, nursery, count, ordered=False),
            DeliveryQueue(resumable, broadcast, nursery, count, ordered=True),
            clock,
        )
        nursery.start_soon(broker.run_expiry)
        yield broker
        nursery.cancel_scope.cancel()
