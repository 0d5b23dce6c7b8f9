"""The queues through which events reach the sockets of one kind.

    publish_nowait → queue → its worker → takes what waits → one write a socket for all that it gets of it

A worker is a task that lives while its queue is not empty. What has come meanwhile leaves together: a socket gets all of its
frames in one write, which costs little more than a write of one frame. Sending never blocks: the session handles a slow socket.
A worker yields between slices. Events that have to wait for nothing and concern no more sockets than a slice holds are sent
where they are published, so that they leave before the reply to the request that caused them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import trio

from regserver.broker.subscription import FrameMaker, Subscription, Subscriptions
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, RoomEvent, content_length
from regserver.endpoint import Broadcast, Frame
from regserver.ports.subscriber import Subscriber

SLICE = 200
"""Sends between two checkpoints, about a millisecond."""
SEND_BYTES = 16 * 1024
"""Copying this many bytes takes about as long as one send."""
MOST_JOINED = 64
"""Events that leave in one write, at most."""
MOST_JOINED_CHARACTERS = 32 * 1024
"""Of their posts: below what a socket takes at once, so that a write of several is rarely cut."""


class DeliveryQueue:
    """Subscriptions that get the same frames, and the queues of their events."""

    def __init__(
        self,
        frame: FrameMaker,
        broadcast: Broadcast,
        nursery: trio.Nursery,
        count: Callable[[int, int], None],
        *,
        ordered: bool,
    ) -> None:
        """frame: builds an event's frame. nursery: of the workers. count: see Making.

        ordered: one queue for all rooms, so that a socket gets events in the order of the log. Otherwise each room has
        its own queue, and rooms do not wait for each other.
        """
        self._subscriptions = Subscriptions(frame)
        self._broadcast = broadcast
        self._nursery = nursery
        self._count = count
        self._ordered = ordered
        self._waiting: dict[int, deque[RoomEvent]] = {}

    def attach(
        self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId, since_then: Iterable[RoomEvent]
    ) -> Subscription:
        """See Subscriptions."""
        return self._subscriptions.attach(subscriber, rooms, as_of, since_then)

    def detach(self, subscription: Subscription) -> None:
        """Removes a subscription."""
        self._subscriptions.detach(subscription)

    # --- events
    def publish_nowait(self, events: Sequence[RoomEvent]) -> None:
        """Sends the next events of the log if they concern few; else queues them, and starts workers for the queues.

        events: of one commit.
        """
        if self._subscriptions.is_empty and not self._waiting:
            return
        left = SLICE
        for key, those in self._by_queue(events).items():
            if (waiting := self._waiting.get(key)) is not None:
                # Even if they concern no socket now: a queued event before them may bring an account into the room.
                waiting.extend(those)
            elif reached := sum(map(self._subscriptions.reach, those)):
                if reached <= left:
                    left -= reached
                    self._send_nowait(those)
                else:
                    self._waiting[key] = deque(those)
                    self._nursery.start_soon(self._work, key)

    def begin_anew_nowait(self) -> None:
        """Drops what waits: it was lost from the log, and all sockets that are attached are closed."""
        for waiting in self._waiting.values():
            waiting.clear()
        self._subscriptions.begin_anew()

    def _by_queue(self, events: Sequence[RoomEvent]) -> dict[int, Sequence[RoomEvent]]:
        if self._ordered:
            return {0: events}
        if len(events) == 1:
            return {events[0].room: events}
        by_room: dict[int, list[RoomEvent]] = {}
        for event in events:
            by_room.setdefault(event.room, []).append(event)
        return dict(by_room)

    def _send_nowait(self, events: Sequence[RoomEvent]) -> None:
        waiting = deque(events)
        while waiting:
            for frames, receivers in self._subscriptions.deliveries(_take(waiting)):
                self._count(len(frames), len(receivers))
                self._broadcast(_join(frames), receivers)

    async def _work(self, key: int) -> None:
        """The worker of one queue. No checkpoint lies between the choice of receivers and the first slice of sends."""
        waiting = self._waiting[key]
        spent = 0
        while waiting:
            for frames, receivers in list(self._subscriptions.deliveries(_take(waiting))):
                self._count(len(frames), len(receivers))
                written = _join(frames)
                cost = max(1, len(written) // SEND_BYTES)
                step = max(1, SLICE // cost)
                for first in range(0, len(receivers), step):
                    part = receivers[first : first + step]
                    self._broadcast(written, part)
                    spent += len(part) * cost
                    if spent >= SLICE:
                        spent = 0
                        # Sockets may attach or detach here. A session that has closed refuses the frames; a
                        # subscription that is attached now got these events in `attach`.
                        await trio.lowlevel.checkpoint()
        # No checkpoint since the queue was found empty, so no event can have been added that would be lost here.
        del self._waiting[key]


def _take(waiting: deque[RoomEvent]) -> list[RoomEvent]:
    """Takes the next event, and those behind it that may leave with it."""
    taken = [waiting.popleft()]
    size = _characters(taken[0])
    while waiting and len(taken) < MOST_JOINED:
        size += _characters(waiting[0])
        if size > MOST_JOINED_CHARACTERS:
            break
        taken.append(waiting.popleft())
    return taken


def _characters(event: RoomEvent) -> int:
    return content_length(event.change)


def _join(frames: tuple[Frame, ...]) -> Frame:
    return frames[0] if len(frames) == 1 else Frame(b"".join(frames))
