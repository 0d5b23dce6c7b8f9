"""Presence and typing: what sockets with `presence=true` are told of the people in their rooms, and no log keeps.

    attach → the book → signs wait → the teller: one write a socket for all signs of a room → PAUSE_SECONDS → again
    detach → GRACE → gone, unless the person has come back

Only people with such a socket are present, so whoever does not ask is neither shown nor costs anything. All that happens within
PAUSE_SECONDS leaves together, and what was undone meanwhile is not told. The first frames of a socket are those who are
there; they leave in pieces, since they may be many.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import trio

from regserver.broker.presence_book import PresenceBook
from regserver.domain.account import AccountId
from regserver.domain.presence import Sign, TypingNoticed
from regserver.domain.room import RoomId
from regserver.domain.room_event import RoomEvent, arriving, leaver
from regserver.endpoint import Broadcast, Frame, Receiver
from regserver.ports.presence_link import PresenceLink
from regserver.ports.subscriber import FrameKind, Subscriber

SignMaker = Callable[[Sign], Frame]
PAUSE_SECONDS: Final = 0.25
SLICE: Final = 200
"""Sends between two checkpoints."""
PIECE_BYTES: Final = 16 * 1024
"""Of those who are there, told to a new socket between two pauses."""


class PresenceTeller:
    """The sockets that asked for presence, and who is present on this node.

    frames: build a sign's frame for each kind of socket. count: see Making. grace: seconds
    for which somebody without a socket stays present.
    """

    def __init__(
        self,
        frames: Mapping[FrameKind, SignMaker],
        broadcast: Broadcast,
        count: Callable[[int, int], None],
        grace: float,
        link: PresenceLink,
    ) -> None:
        self._frames = frames
        self._broadcast = broadcast
        self._count = count
        self._grace = grace
        self._link = link
        self._book = PresenceBook()
        self._here: dict[AccountId, set[Subscriber]] = {}
        self._leaving: dict[AccountId, float] = {}  # in the order of their ends
        self._elsewhere: set[AccountId] = set()  # present on another node
        self._untold: dict[Subscriber, dict[RoomId, None]] = {}  # where it does not know yet who is there
        self._more = trio.Event()

    # --- sockets
    def attach_nowait(
        self, subscriber: Subscriber, rooms: Iterable[RoomId], since_then: Sequence[RoomEvent]
    ) -> None:
        """The socket is told of presence. rooms: of its account at a position; since_then: the events after it."""
        account = subscriber.account
        if account not in self._book:
            self._book.come(account, _brought_up(account, rooms, since_then))
        if account not in self._here and account not in self._leaving:
            self._link.came_nowait(account)
        self._leaving.pop(account, None)
        self._here.setdefault(account, set()).add(subscriber)
        self._untold[subscriber] = dict.fromkeys(self._book.rooms(account))
        self._more.set()

    def detach_nowait(self, subscriber: Subscriber) -> None:
        """The socket is gone; with its last one the person goes, after the grace."""
        account = subscriber.account
        if (sockets := self._here.get(account)) is None or subscriber not in sockets:
            return
        sockets.discard(subscriber)
        self._untold.pop(subscriber, None)
        if not sockets:
            del self._here[account]
            self._leaving[account] = trio.current_time() + self._grace
            self._more.set()

    # --- other nodes
    def link_nowait(self, link: PresenceLink) -> None:
        """Tells the link who is here, and from now on who comes and goes."""
        self._link = link
        for account in (*self._here, *self._leaving):
            link.came_nowait(account)

    def is_asked(self) -> bool:
        """Whether there is a socket that asked."""
        return bool(self._here)

    def come_elsewhere_nowait(
        self, account: AccountId, rooms: Iterable[RoomId], since_then: Sequence[RoomEvent]
    ) -> None:
        """Somebody is present on another node. rooms, since_then: as in `attach_nowait`."""
        self._elsewhere.add(account)
        if account not in self._book:
            self._book.come(account, _brought_up(account, rooms, since_then))
            self._more.set()

    def go_elsewhere_nowait(self, account: AccountId) -> None:
        """They are on no other node any more."""
        self._elsewhere.discard(account)
        if account in self._book and account not in self._here and account not in self._leaving:
            self._book.go(account)
            self._more.set()

    def begin_anew_nowait(self) -> None:
        """Nobody is present any more, here or elsewhere, until they come again: their rooms are in doubt."""
        for account in (*self._here, *self._leaving):
            self._link.went_nowait(account)
        self._book = PresenceBook()
        self._here.clear()
        self._leaving.clear()
        self._elsewhere.clear()
        self._untold.clear()
        self._link.begin_anew_nowait()

    # --- what happens
    def publish_nowait(self, events: Sequence[RoomEvent]) -> None:
        """Follows the memberships of those who are present."""
        if not self._book:
            return
        for event in events:
            for account in self._book.follow(event):
                for subscriber in self._here.get(account, ()):
                    self._untold.setdefault(subscriber, {})[event.room] = None
                self._more.set()

    def typing_nowait(self, sign: TypingNoticed) -> None:
        """A member is typing."""
        self._book.typing(sign)
        self._more.set()

    # --- telling
    async def run(self) -> None:
        """Tells, until cancelled."""
        while True:
            with trio.move_on_at(next(iter(self._leaving.values()), float("inf"))):
                await self._more.wait()
            self._more = trio.Event()
            self._end_leaves()
            for room, signs in self._book.take().items():
                await self._tell(room, signs)
            await self._introduce()
            await trio.sleep(PAUSE_SECONDS)

    def _end_leaves(self) -> None:
        now = trio.current_time()
        for account, at in list(self._leaving.items()):
            if at > now:
                return
            del self._leaving[account]
            if account not in self._elsewhere:
                self._book.go(account)
            self._link.went_nowait(account)

    async def _tell(self, room: RoomId, signs: Sequence[Sign]) -> None:
        """Tells all who are present in the room, but nobody of themselves."""
        told = {sign.account for sign in signs}
        alike: dict[FrameKind, list[Receiver]] = {}
        for account in self._book.roll(room):
            for subscriber in self._here.get(account, ()):
                if room in self._untold.get(subscriber, ()):
                    continue  # it will be told who is there
                if account in told:
                    self._send(self._joined(subscriber, signs), [subscriber.receiver])
                else:
                    alike.setdefault(subscriber.kind, []).append(subscriber.receiver)
        for kind, receivers in alike.items():
            frame = _join(self._frames[kind], signs)
            for first in range(0, len(receivers), SLICE):
                self._send(frame, receivers[first : first + SLICE])
                # A session that ends meanwhile refuses the frame.
                await trio.lowlevel.checkpoint()

    async def _introduce(self) -> None:
        """Tells the sockets that have come into a room who is there: to each a piece."""
        made: dict[tuple[RoomId, FrameKind], Frame] = {}
        for number, subscriber in enumerate(list(self._untold), 1):
            if (rooms := self._untold.get(subscriber)) is not None:
                self._send(self._piece(subscriber, rooms, made), [subscriber.receiver])
                if not rooms:
                    del self._untold[subscriber]
            if number % SLICE == 0:
                await trio.lowlevel.checkpoint()
        if self._untold:
            self._more.set()

    def _piece(
        self, subscriber: Subscriber, rooms: dict[RoomId, None], made: dict[tuple[RoomId, FrameKind], Frame]
    ) -> Frame:
        frames: list[Frame] = []
        size = 0
        while rooms and size < PIECE_BYTES:
            room = next(iter(rooms))
            del rooms[room]
            signs = self._book.told(room, subscriber.account)
            if any(sign.account == subscriber.account for sign in signs):
                frame = self._joined(subscriber, signs)
            elif (room, subscriber.kind) in made:
                frame = made[room, subscriber.kind]
            else:
                frame = made[room, subscriber.kind] = _join(self._frames[subscriber.kind], signs)
            frames.append(frame)
            size += len(frame)
        return Frame(b"".join(frames))

    def _joined(self, subscriber: Subscriber, signs: Sequence[Sign]) -> Frame:
        """The frames of all signs but those of the socket's own account."""
        others = [sign for sign in signs if sign.account != subscriber.account]
        return _join(self._frames[subscriber.kind], others)

    def _send(self, frame: Frame, receivers: Sequence[Receiver]) -> None:
        if frame:
            self._count(1, len(receivers))
            self._broadcast(frame, receivers)


def _join(make: SignMaker, signs: Sequence[Sign]) -> Frame:
    return Frame(b"".join(map(make, signs)))


def _brought_up(
    account: AccountId, rooms: Iterable[RoomId], since_then: Sequence[RoomEvent]
) -> Iterable[RoomId]:
    """The account's rooms after these events."""
    current = dict.fromkeys(rooms)
    for event in since_then:
        if account in arriving(event):
            current[event.room] = None
        elif leaver(event) == account:
            current.pop(event.room, None)
    return current
