"""The broker of one process.

    store's commit → publish_nowait → plain sockets                 (a queue for each room)
                                    → resumable sockets, streams    (one queue each: a cursor covers all rooms)
                                    → presence                      (who is there: see presence_teller.py)

A new socket has its rooms as of a position of the log. The broker has the newest events in memory, and applies those after that
position at once, or the socket reads the log again. Methods that end with `_nowait` have no checkpoint: none sees another half done.
"""

from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile

import trio

from regserver.broker.delivery_queue import DeliveryQueue
from regserver.broker.making import Making
from regserver.broker.no_other_node import NoOtherNode
from regserver.broker.presence_teller import PresenceTeller
from regserver.broker.subscription import Subscription
from regserver.domain.account import AccountId
from regserver.domain.instant import SECOND, Duration, Instant, after
from regserver.domain.outcome import BadToken, Refusal
from regserver.domain.presence import MarkMoved, PassedSign, TypingNoticed
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, RoomEvent
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.presence_hub import PresenceHub
from regserver.ports.presence_link import PresenceLink
from regserver.ports.sign_hub import SignHub
from regserver.ports.sign_link import SignLink
from regserver.ports.subscriber import FrameKind, Subscriber

RECENT_EVENTS = 1024
"""Events kept for new sockets: more than are published between a socket's snapshot and `attach_nowait` on a busy loop."""
END_SECONDS = 0.5
GRACE = Duration(10 * SECOND)
LONGEST_SLEEP = Duration(5 * SECOND)
"""The system clock may be set forward during a sleep. A look takes a millisecond for 10,000 sockets."""


class LocalBroker(Broker, PresenceHub, SignHub):
    """The broker of a server with one process. Made by `open_local_broker`."""

    def __init__(
        self,
        queues: Mapping[FrameKind, DeliveryQueue],
        presence: PresenceTeller,
        making: Making,
        clock: Clock,
    ) -> None:
        self._queues = queues
        self._signs = making.signs
        self._presence = presence
        self._others: SignLink = NoOtherNode()
        self._subscriptions: dict[Subscriber, Subscription] = {}
        # Lists: most accounts have one socket, for which a set takes 130 bytes more.
        self._accounts: dict[AccountId, list[Subscriber]] = {}
        self._recent: deque[RoomEvent] = deque(maxlen=RECENT_EVENTS)
        self._forgotten = EventId(0)  # events up to this id are no longer in memory
        self._gone: dict[AccountId, trio.Event] = {}
        self._clock = clock
        self._next_end = Instant(0)  # the next time at which run_expiry looks at the tokens
        self._earlier_end = trio.Event()

    # --- subscribers
    def enter_nowait(self, subscriber: Subscriber) -> None:
        self._accounts.setdefault(subscriber.account, []).append(subscriber)
        if subscriber.expires_at < self._next_end:
            self._earlier_end.set()

    def count(self, account: AccountId) -> int:
        return len(self._accounts.get(account, ()))

    def accounts(self) -> Collection[AccountId]:
        return self._accounts.keys()

    def link_nowait(self, link: PresenceLink) -> None:
        self._presence.link_nowait(link)

    def is_asked(self) -> bool:
        return self._presence.is_asked()

    def come_elsewhere_nowait(self, account: AccountId, rooms: Collection[RoomId], as_of: EventId) -> bool:
        if as_of < self._forgotten:
            return False
        self._presence.come_elsewhere_nowait(account, rooms, self._since(as_of))
        return True

    def go_elsewhere_nowait(self, account: AccountId) -> None:
        self._presence.go_elsewhere_nowait(account)

    def _since(self, as_of: EventId) -> list[RoomEvent]:
        """The events after this position, which are all in memory."""
        newest_first = list(takewhile(lambda event: event.id > as_of, reversed(self._recent)))
        return newest_first[::-1]

    def attach_nowait(self, subscriber: Subscriber, rooms: Collection[RoomId], as_of: EventId) -> bool:
        if as_of < self._forgotten:
            return False
        queue, since_then = self._queue(subscriber), self._since(as_of)
        self._subscriptions[subscriber] = queue.attach(subscriber, rooms, as_of, since_then)
        if subscriber.presence:
            self._presence.attach_nowait(subscriber, rooms, since_then)
        return True

    def detach_nowait(self, subscriber: Subscriber) -> None:
        if (subscription := self._subscriptions.pop(subscriber, None)) is not None:
            self._queue(subscriber).detach(subscription)
        if subscriber.presence:
            self._presence.detach_nowait(subscriber)
        of_account = self._accounts[subscriber.account]
        of_account.remove(subscriber)
        if not of_account:
            del self._accounts[subscriber.account]
            if (gone := self._gone.pop(subscriber.account, None)) is not None:
                gone.set()

    def _queue(self, subscriber: Subscriber) -> DeliveryQueue:
        return self._queues[subscriber.kind]

    # --- events
    def publish_nowait(self, events: Sequence[RoomEvent]) -> None:
        for event in events:
            if len(self._recent) == RECENT_EVENTS:
                self._forgotten = self._recent[0].id
            self._recent.append(event)
        for queue in self._queues.values():
            queue.publish_nowait(events)
        self._presence.publish_nowait(events)

    def begin_anew_nowait(self, end: EventId) -> None:
        for subscriber in self._all():
            subscriber.cut_nowait()
        self._recent.clear()
        self._forgotten = end
        for queue in self._queues.values():
            queue.begin_anew_nowait()
        self._presence.begin_anew_nowait()

    # --- signs
    def typing_nowait(self, sign: TypingNoticed) -> None:
        self.hear_nowait(sign)
        self._others.pass_nowait(sign)

    def seen_nowait(self, sign: MarkMoved) -> None:
        self.hear_nowait(sign)
        self._others.pass_nowait(sign)

    def link_signs_nowait(self, link: SignLink) -> None:
        self._others = link

    def hear_nowait(self, sign: PassedSign) -> None:
        if isinstance(sign, TypingNoticed):
            return self._presence.typing_nowait(sign)
        for one in list(self._accounts.get(sign.account, ())):
            if one.seen and one in self._subscriptions:
                one.receiver.send_nowait(self._signs[one.kind](sign))
        return None

    # --- endings
    def tokens(self) -> Mapping[SecretHash, AccountId]:
        return {subscriber.token: subscriber.account for subscriber in self._all()}

    def tokens_of(self, account: AccountId) -> Collection[SecretHash]:
        return {subscriber.token for subscriber in self._accounts.get(account, ())}

    def end_tokens_nowait(self, account: AccountId, tokens: Collection[SecretHash], reason: Refusal) -> None:
        for subscriber in list(self._accounts.get(account, ())):
            if subscriber.token in tokens:
                subscriber.end_nowait(reason)

    def _all(self) -> list[Subscriber]:
        """All subscribers: a copy, since ending one may detach it."""
        return [one for those in self._accounts.values() for one in those]

    async def run_expiry(self) -> None:
        """Ends sockets whose token has expired, until cancelled. One task for all: a timer per socket takes a kilobyte."""
        while True:
            now = self._clock.now()
            # Replaced before the loop, so that a subscriber that enters afterwards wakes this task.
            self._earlier_end = trio.Event()
            self._next_end = after(now, LONGEST_SLEEP)
            for subscriber in self._all():
                if subscriber.expires_at <= now:
                    subscriber.end_nowait(BadToken())
                else:
                    self._next_end = min(self._next_end, subscriber.expires_at)
            with self._clock.move_on_after((self._next_end - now) / 1000):
                await self._earlier_end.wait()

    async def end_account(self, account: AccountId) -> None:
        """Ends the account's sockets and waits until they are detached, at most END_SECONDS.

        Their Close frames are sent by then; this does not wait for peers that do not answer.
        """
        for subscriber in list(self._accounts.get(account, ())):
            subscriber.end_nowait(None)
        if account in self._accounts:
            gone = self._gone.setdefault(account, trio.Event())
            with trio.move_on_after(END_SECONDS):
                await gone.wait()


@asynccontextmanager
async def open_local_broker(
    making: Making, clock: Clock, grace: Duration = GRACE
) -> AsyncIterator[LocalBroker]:
    """The broker with the nursery of its workers and the expiry. Leaving drops queued events: the sockets are gone.

    grace: how long somebody without a socket stays present.
    """
    broadcast, count = making.broadcast, making.count
    async with trio.open_nursery() as nursery:
        queues = {
            kind: DeliveryQueue(frame, broadcast, nursery, count, ordered=kind != "plain")
            for kind, frame in making.frames.items()
        }
        presence = PresenceTeller(making.signs, broadcast, count, grace.seconds, NoOtherNode())
        broker = LocalBroker(queues, presence, making, clock)
        nursery.start_soon(broker.run_expiry)
        nursery.start_soon(presence.run)
        yield broker
        nursery.cancel_scope.cancel()
