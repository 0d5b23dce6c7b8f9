"""Sockets of one kind: which account and room each listens for, and the queues through which events reach them.

    publish_nowait → queue → its worker → memberships brought up to date → one frame, the same bytes to all

A subscription is an attached socket. Subscriptions are found by account (for those whom an event brings into a room)
and by room. Both indexes change only as the workers work through the log, so what a socket hears and where it is a
member never disagree. A worker is one task that lives while its queue holds something. Sending never blocks: a slow
socket is its session's affair. Between slices of a big room the worker yields.
"""

from collections import deque
from collections.abc import Callable, Iterable

import trio

from regserver.domain.account import AccountId
from regserver.domain.room import RoomId
from regserver.domain.room_event import Audience, Created, EventId, Left, RoomEvent, audience, newcomers
from regserver.endpoint import Broadcast, Frame, Receiver
from regserver.ports.subscriber import Subscriber

SLICE = 200
"""Sends between two checkpoints: about a millisecond."""

FrameMaker = Callable[[RoomEvent, Audience], Frame]


class Subscription:
    """An attached socket.

    since: the newest position of the log that the socket has heard, or that lies before its time.
    rooms: the rooms it hears of.
    """

    __slots__ = ("account", "receiver", "rooms", "since")

    def __init__(self, subscriber: Subscriber, since: EventId) -> None:
        self.account = subscriber.account
        self.receiver = subscriber.receiver
        self.since = since
        self.rooms: set[RoomId] = set()


class DeliveryQueue:
    """The subscriptions that get the same frames in the same order."""

    def __init__(
        self,
        frame: FrameMaker,
        broadcast: Broadcast,
        nursery: trio.Nursery,
        count: Callable[[int], None],
        *,
        ordered: bool,
    ) -> None:
        """frame: makes an event's bytes. nursery: of the workers. count: told how many sockets were sent to.

        ordered: one queue for all rooms, so that a socket hears them in the order of the log. Otherwise each room has
        its own queue, and rooms do not wait for each other.
        """
        self._frame = frame
        self._broadcast = broadcast
        self._nursery = nursery
        self._count = count
        self._ordered = ordered
        self._accounts: dict[AccountId, set[Subscription]] = {}
        # Values are the receivers, so that a broadcast need not look at each subscription: 5,000 of them do not fit a
        # processor's cache, and reading them costs as much as some of the sending. The order is that of joining, which
        # is about the order in memory.
        self._rooms: dict[RoomId, dict[Subscription, Receiver]] = {}
        # No subscription has heard anything beyond this position before it was attached.
        self._newest = EventId(0)
        self._waiting: dict[int, deque[RoomEvent]] = {}

    # --- subscriptions
    def attach(
        self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId, since_then: Iterable[RoomEvent]
    ) -> Subscription:
        """Attaches a socket that was in `rooms` at position `as_of`; the events since then are applied at once.

        Those of them that are still queued carry a position at or below the subscription's, so they pass it by.
        """
        subscription = Subscription(subscriber, as_of)
        self._accounts.setdefault(subscription.account, set()).add(subscription)
        for room in rooms:
            self._join(subscription, room)
        for event in since_then:
            self._catch_up(subscription, event)
        self._newest = max(self._newest, subscription.since)
        return subscription

    def _catch_up(self, subscription: Subscription, event: RoomEvent) -> None:
        if subscription.account in _arriving(event):
            self._join(subscription, event.room)
        role = audience(event, subscription.account)
        if event.room in subscription.rooms and role is not None:
            subscription.receiver.send_nowait(self._frame(event, role))
        if isinstance(event.change, Left) and subscription.account == event.actor:
            self._leave(subscription, event.room)
        subscription.since = event.id

    def detach(self, subscription: Subscription) -> None:
        """Removes a subscription; it hears nothing more."""
        for room in list(subscription.rooms):
            self._leave(subscription, room)
        subscriptions = self._accounts[subscription.account]
        subscriptions.discard(subscription)
        if not subscriptions:
            del self._accounts[subscription.account]

    def _join(self, subscription: Subscription, room: RoomId) -> None:
        self._rooms.setdefault(room, {})[subscription] = subscription.receiver
        subscription.rooms.add(room)

    def _leave(self, subscription: Subscription, room: RoomId) -> None:
        subscription.rooms.discard(room)
        if (members := self._rooms.get(room)) is not None:
            members.pop(subscription, None)
            if not members:
                del self._rooms[room]

    # --- events
    def publish_nowait(self, event: RoomEvent) -> None:
        """Queues the next event of the log, and starts a worker when none is at work on its queue."""
        key = 0 if self._ordered else event.room
        if (waiting := self._waiting.get(key)) is not None:
            # Queued even if it concerns nobody here now: an event before it may bring somebody in.
            waiting.append(event)
        elif self._concerns(event):
            self._waiting[key] = deque([event])
            self._nursery.start_soon(self._work, key)

    def _concerns(self, event: RoomEvent) -> bool:
        """Whether a socket here hears of the event or comes in by it, given that nothing is queued before it."""
        return event.room in self._rooms or any(map(self._accounts.__contains__, _arriving(event)))

    async def _work(self, key: int) -> None:
        """The worker of one queue. Receivers are chosen and sent to without a checkpoint between, up to a slice."""
        waiting = self._waiting[key]
        sent = 0
        while waiting:
            for frame, receivers in self._deliveries(waiting.popleft()):
                self._count(len(receivers))
                for first in range(0, len(receivers), SLICE):
                    part = receivers[first : first + SLICE]
                    self._broadcast(frame, part)
                    sent += len(part)
                    if sent >= SLICE:
                        sent = 0
                        # Others may attach or detach here. The list is of receivers: one that has gone refuses the
                        # frame, and one that came was given this event when it was attached.
                        await trio.lowlevel.checkpoint()
        # No checkpoint since the queue was found empty, so no event can have been added to it.
        del self._waiting[key]

    def _deliveries(self, event: RoomEvent) -> list[tuple[Frame, list[Receiver]]]:
        """Which bytes go to whom; memberships are brought up to date on the way."""
        for account in _arriving(event):
            for subscription in self._accounts.get(account, ()):
                if event.id > subscription.since:
                    self._join(subscription, event.room)
        members = self._rooms.get(event.room, {})
        if event.id <= self._newest:
            # Attached while this event was queued: it was applied then.
            members = {one: receiver for one, receiver in members.items() if event.id > one.since}
        if own := self._accounts.get(event.actor):
            members = {one: receiver for one, receiver in members.items() if one not in own}
        by_role = _by_role(event, members)
        if isinstance(event.change, Left):
            self._remove_actor(event)
        return [(self._frame(event, role), receivers) for role, receivers in by_role.items() if receivers]

    def _remove_actor(self, event: RoomEvent) -> None:
        for subscription in list(self._accounts.get(event.actor, ())):
            if event.id > subscription.since:
                self._leave(subscription, event.room)


def _by_role(event: RoomEvent, members: dict[Subscription, Receiver]) -> dict[Audience, list[Receiver]]:
    new = set(newcomers(event.change))
    if not new:
        return {"member": list(members.values())}
    by_role: dict[Audience, list[Receiver]] = {"member": [], "newcomer": []}
    for subscription, receiver in members.items():
        by_role["newcomer" if subscription.account in new else "member"].append(receiver)
    return by_role


def _arriving(event: RoomEvent) -> tuple[AccountId, ...]:
    """The accounts that are in the event's room from this event on."""
    brought = newcomers(event.change)
    return (*brought, event.actor) if isinstance(event.change, Created) else brought
