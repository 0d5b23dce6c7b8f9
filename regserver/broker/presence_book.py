"""Who is present in which room, and what of it is still to be told.

    come, go, follow (an event of the log) → the rooms' rolls → changes → taken by the teller

Of one room the first MOST_TOLD people are told. The others wait, and the first of them is told when somebody goes. So a
crowd that comes back after a restart costs each of its sockets a bounded number of frames.
"""

from collections.abc import Iterable, Iterator, Sequence

from regserver.domain.account import AccountId
from regserver.domain.presence import MOST_TOLD, MOST_TYPING, PresenceChanged, Sign, TypingNoticed
from regserver.domain.room import RoomId
from regserver.domain.room_event import Edited, Posted, Renamed, Retracted, RoomEvent, arriving, leaver


class Roll:
    """The people present in one room. told: those whom the others know to be present. waiting: those beyond MOST_TOLD."""

    __slots__ = ("told", "waiting")

    def __init__(self) -> None:
        self.told: dict[AccountId, None] = {}
        self.waiting: dict[AccountId, None] = {}

    def __iter__(self) -> Iterator[AccountId]:
        yield from self.told
        yield from self.waiting


class PresenceBook:
    """The rolls of all rooms. Its changes are taken by `take`."""

    def __init__(self) -> None:
        self._rooms: dict[AccountId, set[RoomId]] = {}
        self._rolls: dict[RoomId, Roll] = {}
        self._changes: dict[RoomId, dict[AccountId, bool]] = {}
        self._typing: dict[RoomId, dict[AccountId, None]] = {}

    def __bool__(self) -> bool:
        """Whether anybody is present."""
        return bool(self._rooms)

    def __contains__(self, account: AccountId) -> bool:
        return account in self._rooms

    def roll(self, room: RoomId) -> Sequence[AccountId]:
        """Everybody who is present in the room."""
        return list(self._rolls.get(room, ()))

    def told(self, room: RoomId, account: AccountId) -> list[Sign]:
        """What somebody who has come into the room is told; nothing, if they have left it again."""
        if room not in self._rooms.get(account, ()):
            return []
        return [PresenceChanged(one, room, online=True) for one in self._rolls[room].told]

    def rooms(self, account: AccountId) -> Sequence[RoomId]:
        """Where the account is present."""
        return list(self._rooms.get(account, ()))

    # --- what happens
    def come(self, account: AccountId, rooms: Iterable[RoomId]) -> None:
        """Somebody is present, with all of their rooms."""
        self._rooms[account] = set()
        for room in rooms:
            self._enter(account, room)

    def go(self, account: AccountId) -> None:
        """They are no longer."""
        for room in list(self._rooms[account]):
            if self._exit(account, room):
                self._change(account, room, online=False)
        del self._rooms[account]

    def follow(self, event: RoomEvent) -> list[AccountId]:
        """Brings the rolls up to date with an event of the log; the present people who came into its room."""
        if isinstance(event.change, Posted | Edited | Retracted | Renamed):
            return []
        if (gone := leaver(event)) is not None:
            if event.room in self._rooms.get(gone, ()):
                # UserLeftRoom tells the others all.
                self._exit(gone, event.room)
                self._changes.get(event.room, {}).pop(gone, None)
            return []
        came = [one for one in arriving(event) if event.room not in self._rooms.get(one, (event.room,))]
        for account in came:
            self._enter(account, event.room)
        return came

    def typing(self, sign: TypingNoticed) -> None:
        """A member is typing. Beyond MOST_TYPING at the same time nobody is told."""
        if sign.room in self._rolls:
            those = self._typing.setdefault(sign.room, {})
            if len(those) < MOST_TYPING:
                those[sign.account] = None

    def take(self) -> dict[RoomId, list[Sign]]:
        """What is to be told, by room; from here on it counts as told."""
        signs: dict[RoomId, list[Sign]] = {}
        for room, changes in self._changes.items():
            signs[room] = [PresenceChanged(one, room, online) for one, online in changes.items()]
        for room, those in self._typing.items():
            signs.setdefault(room, []).extend(TypingNoticed(one, room) for one in those)
        self._changes, self._typing = {}, {}
        return signs

    # --- rolls
    def _enter(self, account: AccountId, room: RoomId) -> None:
        self._rooms[account].add(room)
        roll = self._rolls.setdefault(room, Roll())
        if len(roll.told) < MOST_TOLD:
            self._tell(roll, account, room)
        else:
            roll.waiting[account] = None

    def _exit(self, account: AccountId, room: RoomId) -> bool:
        """Takes somebody off the roll; whether they were told to be present."""
        roll = self._rolls[room]
        self._rooms[account].discard(room)
        was_told = account in roll.told
        roll.told.pop(account, None)
        roll.waiting.pop(account, None)
        if was_told and roll.waiting:
            first = next(iter(roll.waiting))
            del roll.waiting[first]
            self._tell(roll, first, room)
        if not roll.told:
            del self._rolls[room]
        return was_told

    def _tell(self, roll: Roll, account: AccountId, room: RoomId) -> None:
        roll.told[account] = None
        self._change(account, room, online=True)

    def _change(self, account: AccountId, room: RoomId, *, online: bool) -> None:
        changes = self._changes.setdefault(room, {})
        # The opposite has not been told yet, so there is nothing to be told any more.
        if changes.pop(account, online) == online:
            changes[account] = online
