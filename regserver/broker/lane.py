"""One kind of sockets: who sits in which room, and the queues through which events reach them.

    publish_nowait → queue → its pump → memberships brought up to date → one frame, the same bytes to every seat

A seat is an attached socket. Seats are found by account (for those whom an event brings into a room) and by room; both
indexes change only as the pumps work through the log, so what a socket hears and where it is a member never disagree.
A pump is one task that lives while its queue holds something. Sending never blocks; a slow socket is the session's
affair; a big room yields between slices.
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
"""So many sends go on without a checkpoint: about a millisecond."""

FrameMaker = Callable[[RoomEvent, Audience], Frame]


class Seat:
    """since: what the socket has heard already, or was before its time."""

    __slots__ = ("account", "receiver", "rooms", "since")

    def __init__(self, subscriber: Subscriber, since: EventId) -> None:
        self.account = subscriber.account
        self.receiver = subscriber.receiver
        self.since = since
        self.rooms: set[RoomId] = set()


class Lane:
    """The seats that get the same frames in the same kind of order.

    ordered: one queue for all rooms, so that a seat hears them in the order of the log; otherwise each room has its
    own, and rooms do not wait for each other. count: told how many sockets were sent to.
    """

    def __init__(
        self,
        frame: FrameMaker,
        broadcast: Broadcast,
        nursery: trio.Nursery,
        count: Callable[[int], None],
        *,
        ordered: bool,
    ) -> None:
        self._frame = frame
        self._broadcast = broadcast
        self._nursery = nursery
        self._count = count
        self._ordered = ordered
        self._accounts: dict[AccountId, set[Seat]] = {}
        # The receiver stands beside its seat, in the order in which they came, which is about that in memory: 5,000
        # seats do not fit a processor's cache, and looking at each of them costs as much as some of the sending.
        self._rooms: dict[RoomId, dict[Seat, Receiver]] = {}
        self._newest = EventId(0)  # no seat has heard anything beyond this before it sat down
        self._queues: dict[int, deque[RoomEvent]] = {}

    # --- seats
    def seat(
        self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId, since_then: Iterable[RoomEvent]
    ) -> Seat:
        """A new seat, in its rooms as of a position; the events since then are applied to it at once.

        Those of them which are still queued carry a position at or below the seat's and pass it by.
        """
        seat = Seat(subscriber, as_of)
        self._accounts.setdefault(seat.account, set()).add(seat)
        for room in rooms:
            self._sit(seat, room)
        for event in since_then:
            self._catch_up(seat, event)
        self._newest = max(self._newest, seat.since)
        return seat

    def _catch_up(self, seat: Seat, event: RoomEvent) -> None:
        if seat.account in _arriving(event):
            self._sit(seat, event.room)
        if event.room in seat.rooms and (role := audience(event, seat.account)) is not None:
            seat.receiver.send_nowait(self._frame(event, role))
        if isinstance(event.change, Left) and seat.account == event.actor:
            self._rise(seat, event.room)
        seat.since = event.id

    def remove(self, seat: Seat) -> None:
        for room in list(seat.rooms):
            self._rise(seat, room)
        seats = self._accounts[seat.account]
        seats.discard(seat)
        if not seats:
            del self._accounts[seat.account]

    def _sit(self, seat: Seat, room: RoomId) -> None:
        self._rooms.setdefault(room, {})[seat] = seat.receiver
        seat.rooms.add(room)

    def _rise(self, seat: Seat, room: RoomId) -> None:
        seat.rooms.discard(room)
        if (seats := self._rooms.get(room)) is not None:
            seats.pop(seat, None)
            if not seats:
                del self._rooms[room]

    # --- events
    def publish_nowait(self, event: RoomEvent) -> None:
        key = 0 if self._ordered else event.room
        if (waiting := self._queues.get(key)) is not None:
            waiting.append(event)
        elif self._concerns(event):
            self._queues[key] = deque([event])
            self._nursery.start_soon(self._pump, key)

    def _concerns(self, event: RoomEvent) -> bool:
        """Whether anybody here hears of the event or comes in by it, given that nothing is queued before it."""
        return event.room in self._rooms or any(map(self._accounts.__contains__, _arriving(event)))

    async def _pump(self, key: int) -> None:
        waiting = self._queues[key]
        sent = 0
        while waiting:
            for frame, receivers in self._deliveries(waiting.popleft()):
                self._count(len(receivers))
                for first in range(0, len(receivers), SLICE):
                    piece = receivers[first : first + SLICE]
                    self._broadcast(frame, piece)
                    sent += len(piece)
                    if sent >= SLICE:
                        sent = 0
                        await trio.lowlevel.checkpoint()
        del self._queues[key]

    def _deliveries(self, event: RoomEvent) -> list[tuple[Frame, list[Receiver]]]:
        """Which bytes go to whom; memberships are brought up to date on the way."""
        for account in _arriving(event):
            for seat in self._accounts.get(account, ()):
                if event.id > seat.since:
                    self._sit(seat, event.room)
        seats = self._rooms.get(event.room, {})
        if event.id <= self._newest:  # some may have heard it already
            seats = {seat: receiver for seat, receiver in seats.items() if event.id > seat.since}
        if own := self._accounts.get(event.actor):
            seats = {seat: receiver for seat, receiver in seats.items() if seat not in own}
        by_role: dict[Audience, list[Receiver]] = {"member": [], "newcomer": []}
        if new := set(newcomers(event.change)):
            for seat, receiver in seats.items():
                by_role["newcomer" if seat.account in new else "member"].append(receiver)
        else:
            by_role["member"] = list(seats.values())
        if isinstance(event.change, Left):
            self._leave(event)
        return [(self._frame(event, role), receivers) for role, receivers in by_role.items() if receivers]

    def _leave(self, event: RoomEvent) -> None:
        for seat in list(self._accounts.get(event.actor, ())):
            if event.id > seat.since:
                self._rise(seat, event.room)


def _arriving(event: RoomEvent) -> tuple[AccountId, ...]:
    """Those whose room this is from here on."""
    brought = newcomers(event.change)
    return (*brought, event.actor) if isinstance(event.change, Created) else brought
