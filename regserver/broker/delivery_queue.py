"""The queues through which events reach the sockets of one kind.

    publish_nowait → queue → its worker → takes what waits → one write a socket for all that it gets of it

A worker is a task that lives while its queue is not empty. What has come meanwhile leaves together: a socket gets all of its
frames in one write, which costs little more than a write of one frame. Posts that come while others of their room are sent leave
with these where they still can (`round_robin.py`). Sending never blocks: the session handles a slow socket.
A worker yields between slices. Events that have to wait for nothing and concern few sockets are sent where they are published, so
that they leave before the reply to the request that caused them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import trio

from regserver.broker.round_robin import RoundRobin, join
from regserver.broker.subscription import FrameMaker, Subscription, Subscriptions
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, RoomEvent, content_length
from regserver.endpoint import Broadcast, Frame, Receiver
from regserver.ports.subscriber import Subscriber

SLICE = 100
"""Sends between two checkpoints, about half a millisecond."""
AT_ONCE = 200
"""Sends that the events of one commit may take where they are published, if they wait for nothing."""
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
        self._spent = 0  # sends since the last checkpoint

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
        left = AT_ONCE
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
                self._broadcast(join(frames), receivers)

    async def _work(self, key: int) -> None:
        """The worker of one queue. No checkpoint lies between the choice of receivers and the first slice of sends."""
        waiting = self._waiting[key]
        while waiting:
            taken = _take(waiting)
            if self._subscriptions.are_alike(taken):
                await self._send_posts(taken, waiting)
            else:
                for frames, receivers in self._subscriptions.deliveries(taken):
                    await self._send_to(receivers, frames)
        # No checkpoint since the queue was found empty, so no event can have been added that would be lost here.
        del self._waiting[key]

    async def _send_posts(self, posts: Sequence[RoomEvent], waiting: deque[RoomEvent]) -> None:
        """Sends posts to the members of their room, and those of the same room that come meanwhile."""
        room, moves = posts[0].room, self._subscriptions.moves
        turns = self._turns(self._subscriptions.members(room))
        while True:
            for post in posts:
                turns.add_nowait(self._subscriptions.member_frame(post), self._subscriptions.deaf(post))
            if not (cost := turns.turn_nowait()):
                return
            await self._spend(cost)
            # Those who come or go meanwhile do so between what is in turns and what waits.
            posts = self._further(waiting, turns, room) if self._subscriptions.moves == moves else ()

    def _further(self, waiting: deque[RoomEvent], turns: RoundRobin, room: RoomId) -> list[RoomEvent]:
        """Takes the posts of this room that may leave with those that are in turns."""
        count, size = turns.behind, turns.behind_bytes  # which are more than the characters
        taken: list[RoomEvent] = []
        while waiting and count < MOST_JOINED and self._subscriptions.is_post_in(room, waiting[0]):
            count += 1
            size += _characters(waiting[0])
            if size > MOST_JOINED_CHARACTERS:
                break
            taken.append(waiting.popleft())
        return taken

    async def _send_to(self, receivers: Sequence[Receiver], frames: Iterable[Frame]) -> None:
        turns = self._turns(receivers)
        for frame in frames:
            turns.add_nowait(frame)
        while cost := turns.turn_nowait():
            await self._spend(cost)

    def _turns(self, receivers: Sequence[Receiver]) -> RoundRobin:
        return RoundRobin(receivers, SLICE, self._broadcast, self._count)

    async def _spend(self, cost: int) -> None:
        """Lets others run after as many sends as a slice has.

        Sockets may attach or detach meanwhile. A session that has closed refuses the frames; a subscription that is attached
        now got in `attach` what was taken or waits.
        """
        self._spent += cost
        if self._spent >= SLICE:
            self._spent = 0
            await trio.lowlevel.checkpoint()


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
