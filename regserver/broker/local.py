"""Fan-out within one process.

    store's commit → publish_nowait → one queue per room → its pump → frame once, same bytes to every seat

A seat is an attached socket. Seats are found by account (for those whom an event brings into a room) and by room; both
indexes change only as the pumps work through the log, so what a socket hears and where it is a member never disagree.
A room's pump is one task that lives while there is something to deliver: order per room holds, rooms do not wait for
each other, and a big room yields between slices. Sending never blocks; a slow socket is the session's affair.

A new seat knows its rooms as of a position of the log. The events since then are kept at hand (`_recent`) and applied
to it at once; those still queued carry a position at or below the seat's and pass it by.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import trio

from regserver.domain.account import AccountId
from regserver.domain.event import Created, Event, EventId, Left, Standing, newcomers, standing
from regserver.domain.outcome import Refusal
from regserver.domain.room import RoomId
from regserver.domain.secret import SecretHash
from regserver.endpoint import Frame
from regserver.ports.broker import Subscriber

SLICE = 200
"""So many sends go on without a checkpoint: about a millisecond."""
RECENT_EVENTS = 4096
END_SECONDS = 0.5

FrameMaker = Callable[[Event, Standing], Frame]


class _Seat:
    __slots__ = ("account", "rooms", "send", "since", "subscriber")

    def __init__(self, subscriber: Subscriber, since: EventId) -> None:
        self.subscriber = subscriber
        self.account = subscriber.account
        self.send = subscriber.send_nowait
        self.since = since
        self.rooms: set[RoomId] = set()


class LocalBroker:
    """Opened by `open_local_broker`. count: told how many sockets a frame was handed to."""

    def __init__(self, frame: FrameMaker, nursery: trio.Nursery, count: Callable[[int], None]) -> None:
        self._frame = frame
        self._nursery = nursery
        self._count = count
        self._seats: dict[Subscriber, _Seat] = {}
        self._accounts: dict[AccountId, set[_Seat]] = {}
        self._rooms: dict[RoomId, set[_Seat]] = {}
        self._queues: dict[RoomId, deque[Event]] = {}
        self._recent: deque[Event] = deque(maxlen=RECENT_EVENTS)
        self._forgotten = EventId(0)  # events up to here are not at hand
        self._gone: dict[AccountId, trio.Event] = {}

    # --- seats
    def attach_nowait(self, subscriber: Subscriber, rooms: Iterable[RoomId], as_of: EventId) -> bool:
        if as_of < self._forgotten:
            return False
        seat = _Seat(subscriber, as_of)
        self._seats[subscriber] = seat
        self._accounts.setdefault(seat.account, set()).add(seat)
        for room in rooms:
            self._sit(seat, room)
        for event in self._recent:
            if event.id > as_of:
                self._catch_up(seat, event)
        return True

    def _catch_up(self, seat: _Seat, event: Event) -> None:
        """One event that was published between the snapshot and the attaching."""
        change = event.change
        came = seat.account in newcomers(change) or (
            isinstance(change, Created) and seat.account == event.actor
        )
        if came:
            self._sit(seat, event.room)
        if event.room in seat.rooms and (role := standing(event, seat.account)) is not None:
            seat.send(self._frame(event, role))
        if isinstance(change, Left) and seat.account == event.actor:
            self._rise(seat, event.room)
        seat.since = event.id

    def detach_nowait(self, subscriber: Subscriber) -> None:
        seat = self._seats.pop(subscriber, None)
        if seat is None:
            return
        for room in list(seat.rooms):
            self._rise(seat, room)
        seats = self._accounts[seat.account]
        seats.discard(seat)
        if not seats:
            del self._accounts[seat.account]
            if (gone := self._gone.pop(seat.account, None)) is not None:
                gone.set()

    def _sit(self, seat: _Seat, room: RoomId) -> None:
        self._rooms.setdefault(room, set()).add(seat)
        seat.rooms.add(room)

    def _rise(self, seat: _Seat, room: RoomId) -> None:
        seat.rooms.discard(room)
        if (seats := self._rooms.get(room)) is not None:
            seats.discard(seat)
            if not seats:
                del self._rooms[room]

    # --- events
    def publish_nowait(self, events: Sequence[Event]) -> None:
        for event in events:
            if len(self._recent) == RECENT_EVENTS:
                self._forgotten = self._recent[0].id
            self._recent.append(event)
            if (waiting := self._queues.get(event.room)) is not None:
                waiting.append(event)
            else:
                self._queues[event.room] = deque([event])
                self._nursery.start_soon(self._pump, event.room)

    async def _pump(self, room: RoomId) -> None:
        waiting = self._queues[room]
        sent = 0
        while waiting:
            for send, frame in self._deliveries(waiting.popleft()):
                send(frame)
                sent += 1
                if sent % SLICE == 0:
                    await trio.lowlevel.checkpoint()
        del self._queues[room]
        self._count(sent)

    def _deliveries(self, event: Event) -> list[tuple[Callable[[Frame], bool], Frame]]:
        """Who gets which bytes; memberships are brought up to date on the way."""
        brought = newcomers(event.change)
        arriving = (*brought, event.actor) if isinstance(event.change, Created) else brought
        for account in arriving:
            for seat in self._accounts.get(account, ()):
                if event.id > seat.since:
                    self._sit(seat, event.room)
        seats = [
            s for s in self._rooms.get(event.room, ()) if event.id > s.since and s.account != event.actor
        ]
        if isinstance(event.change, Left):
            self._remove(event)
        if not seats:
            return []
        if not brought:
            frame = self._frame(event, "member")
            return [(seat.send, frame) for seat in seats]
        new = set(brought)
        frames: dict[Standing, Frame] = {}
        deliveries = []
        for seat in seats:
            role: Standing = "newcomer" if seat.account in new else "member"
            if role not in frames:
                frames[role] = self._frame(event, role)
            deliveries.append((seat.send, frames[role]))
        return deliveries

    def _remove(self, event: Event) -> None:
        for seat in list(self._accounts.get(event.actor, ())):
            if event.id > seat.since:
                self._rise(seat, event.room)

    # --- endings
    def end_token_nowait(self, token: SecretHash, reason: Refusal) -> None:
        for seat in list(self._seats.values()):
            if seat.subscriber.token == token:
                seat.subscriber.end_nowait(reason)

    def end_account_nowait(
        self, account: AccountId, reason: Refusal | None, *, but: SecretHash | None = None
    ) -> None:
        for seat in list(self._accounts.get(account, ())):
            if seat.subscriber.token != but:
                seat.subscriber.end_nowait(reason)

    async def end_account(self, account: AccountId) -> None:
        """Waits for the peers' part of the closing handshake no longer than END_SECONDS; our part is done by then."""
        self.end_account_nowait(account, None)
        if account in self._accounts:
            gone = self._gone.setdefault(account, trio.Event())
            with trio.move_on_after(END_SECONDS):
                await gone.wait()
        return None


@asynccontextmanager
async def open_local_broker(frame: FrameMaker, count: Callable[[int], None]) -> AsyncIterator[LocalBroker]:
    """Owns the nursery of the pumps; what is queued when it is left is not delivered, since the sockets are gone."""
    async with trio.open_nursery() as nursery:
        yield LocalBroker(frame, nursery, count)
        nursery.cancel_scope.cancel()
