"""The subscriptions of one kind of socket, and the queues through which events reach them.

    publish_nowait → queue → its worker → update of the memberships → one frame, the same bytes to all

A subscription is an attached socket. It is found by account, when an event brings the account into a room, and by room.
The workers update both indexes while they process the log, so the events that a socket gets always match its memberships.
A worker is a task that lives while its queue is not empty. Sending never blocks: the session handles a slow socket. A
worker yields between slices of a big room. An event that has to wait for no other and concerns few sockets is sent where it
is published, so that it leaves before the reply to the request that caused it.
"""

from collections import deque
from collections.abc import Callable, Iterable

import trio

from regserver.domain.account import AccountId
from regserver.domain.room import RoomId
from regserver.domain.room_event import (
    Audience,
    Created,
    EventId,
    Left,
    RoomEvent,
    audience,
    guests,
    newcomers,
)
from regserver.endpoint import Broadcast, Frame, Receiver
from regserver.ports.subscriber import Subscriber

SLICE = 200
"""Sends between two checkpoints, about a millisecond."""
FEW = 30
"""Sockets that an event is sent to at once: some 150 µs, and as much for each other event of its commit."""

FrameMaker = Callable[[RoomEvent, Audience], Frame]


class Subscription:
    """An attached socket.

    since: id of the newest event that the socket has received, or that was before it was attached.
    rooms: the rooms whose events it receives.
    """

    __slots__ = ("account", "receiver", "rooms", "since")

    def __init__(self, subscriber: Subscriber, since: EventId) -> None:
        self.account = subscriber.account
        self.receiver = subscriber.receiver
        self.since = since
        self.rooms: set[RoomId] = set()


class DeliveryQueue:
    """Subscriptions that get the same frames, and the queues of their events."""

    def __init__(
        self,
        frame: FrameMaker,
        broadcast: Broadcast,
        nursery: trio.Nursery,
        count: Callable[[int], None],
        *,
        ordered: bool,
    ) -> None:
        """frame: builds an event's frame. nursery: of the workers. count: called with the number of receivers of each frame.

        ordered: one queue for all rooms, so that a socket gets events in the order of the log. Otherwise each room has
        its own queue, and rooms do not wait for each other.
        """
        self._frame = frame
        self._broadcast = broadcast
        self._nursery = nursery
        self._count = count
        self._ordered = ordered
        self._accounts: dict[AccountId, set[Subscription]] = {}
        # The values are the receivers, so that a broadcast reads no subscriptions: 5,000 of them do not fit into a
        # processor's cache, and reading them would take a considerable part of the time of sending.
        self._rooms: dict[RoomId, dict[Subscription, Receiver]] = {}
        # The newest event that was applied to a subscription when it was attached. Only up to here a queued event can be
        # one that a subscription has already received.
        self._newest = EventId(0)
        self._waiting: dict[int, deque[RoomEvent]] = {}

    # --- subscriptions
    def attach(
        self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId, since_then: Iterable[RoomEvent]
    ) -> Subscription:
        """Attaches a socket. rooms: of its account at position `as_of`. since_then: the later events, applied at once.

        Some of these events may still be queued. Their ids are not above the subscription's `since`, so the worker does
        not send them to it again.
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
        hears = event.room in subscription.rooms or subscription.account in guests(event.change)
        if hears and role is not None:
            subscription.receiver.send_nowait(self._frame(event, role))
        if isinstance(event.change, Left) and subscription.account == event.actor:
            self._leave(subscription, event.room)
        subscription.since = event.id

    def detach(self, subscription: Subscription) -> None:
        """Removes a subscription."""
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
        """Sends the next event of the log if it concerns few, else queues it, and starts a worker if its queue has none."""
        key = 0 if self._ordered else event.room
        if (waiting := self._waiting.get(key)) is not None:
            # Even if it concerns no socket now: a queued event before it may bring an account into the room.
            waiting.append(event)
        elif reached := self._reach(event):
            if reached <= FEW:
                self._send_nowait(event)
            else:
                self._waiting[key] = deque([event])
                self._nursery.start_soon(self._work, key)

    def _reach(self, event: RoomEvent) -> int:
        """At most so many subscriptions get the event or join its room by it, provided that no event is queued before it."""
        concerned = (*_arriving(event), *guests(event.change))
        return len(self._rooms.get(event.room, ())) + sum(
            len(self._accounts.get(one, ())) for one in concerned
        )

    def _send_nowait(self, event: RoomEvent) -> None:
        for frame, receivers in self._deliveries(event):
            self._count(len(receivers))
            self._broadcast(frame, receivers)

    async def _work(self, key: int) -> None:
        """The worker of one queue. No checkpoint lies between the choice of receivers and the first slice of sends."""
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
                        # Sockets may attach or detach here. A session that has closed refuses the frame; a
                        # subscription that is attached now got this event in `attach`.
                        await trio.lowlevel.checkpoint()
        # No checkpoint since the queue was found empty, so no event can have been added that would be lost here.
        del self._waiting[key]

    def _deliveries(self, event: RoomEvent) -> list[tuple[Frame, list[Receiver]]]:
        """The frames of an event with their receivers. It also updates the memberships."""
        for account in _arriving(event):
            for subscription in self._accounts.get(account, ()):
                if event.id > subscription.since:
                    self._join(subscription, event.room)
        members = self._rooms.get(event.room, {})
        if asked := guests(event.change):  # it concerns nobody else
            members = {one: one.receiver for guest in asked for one in self._accounts.get(guest, ())}
        if event.id <= self._newest:
            # Subscriptions that were attached while this event was queued got it then.
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
    new = set(newcomers(event.change)) or set(guests(event.change))
    if not new:
        return {"member": list(members.values())}
    by_role: dict[Audience, list[Receiver]] = {"member": [], "newcomer": []}
    for subscription, receiver in members.items():
        by_role["newcomer" if subscription.account in new else "member"].append(receiver)
    return by_role


def _arriving(event: RoomEvent) -> tuple[AccountId, ...]:
    """The accounts whose membership begins with this event."""
    brought = newcomers(event.change)
    return (*brought, event.actor) if isinstance(event.change, Created) else brought
