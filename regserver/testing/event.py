"""What happened in the rooms of a test server, as its log has it."""

from collections.abc import Sequence
from functools import partial

import msgspec
import trio

from regserver.domain.room_event import (
    Change,
    Created,
    Edited,
    Invited,
    Left,
    OfferAccepted,
    Offered,
    Posted,
    Removed,
    Renamed,
    Retracted,
    RoomEvent,
)
from regserver.ports.store import EventListener
from regserver.testing.home import Home
from regserver.testing.mailbox import LOOK_SECONDS, too_slow

KINDS: dict[type[Change], str] = {
    Posted: "posted",
    Edited: "edited",
    Retracted: "retracted",
    Created: "created",
    Invited: "invited",
    Offered: "offered",
    OfferAccepted: "accepted",
    Left: "left",
    Removed: "removed",
    Renamed: "renamed",
}


class CommittedEvent(msgspec.Struct, frozen=True):
    """One event of the log. kind: posted, edited, retracted, created, invited, offered, accepted, left, removed or renamed. content: of a post."""

    number: int
    kind: str
    room: int
    actor: int
    content: str | None = None


class EventLog:
    """The events of one server since its start, in the order of their commits."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._taken: set[int] = set()
        self.all: list[CommittedEvent] = []

    async def wait(
        self, kind: str | None = None, *, room: int | None = None, seconds: float = 10.0
    ) -> CommittedEvent:
        """The next one of this kind and room that nobody has waited for yet. Raises TooSlowError."""
        return await self._home.run(partial(self._wait, kind, room, seconds))

    async def _wait(self, kind: str | None, room: int | None, seconds: float) -> CommittedEvent:
        with trio.move_on_after(seconds):
            while True:
                for event in self.all:
                    if (
                        event.number not in self._taken
                        and kind in {None, event.kind}
                        and room in {None, event.room}
                    ):
                        self._taken.add(event.number)
                        return event
                await trio.sleep(LOOK_SECONDS)
        came = [f"{event.kind} in room {event.room}" for event in self.all]
        raise too_slow("event", came, seconds, kind=kind, room=room)

    def tee(self, listener: EventListener) -> EventListener:
        """A listener that also writes down what it hears."""

        def heard(events: Sequence[RoomEvent]) -> None:
            self.all += map(_shown, events)
            listener(events)

        return heard


def _shown(event: RoomEvent) -> CommittedEvent:
    content = event.change.content if isinstance(event.change, Posted | Edited) else None
    return CommittedEvent(event.id, KINDS[type(event.change)], event.room, event.actor, content)
