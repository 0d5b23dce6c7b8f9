"""The tail of the log by itself: what it tells of its own events, and where it goes on."""

from collections.abc import Sequence

import trio

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId, Left, Position, RoomEvent
from regserver.store.postgres.log_tail import LogPage, LogTail, LogWentBack

HOUR = 3_600_000


def event(number: int, at: int) -> RoomEvent:
    return RoomEvent(EventId(number), RoomId(1), AccountId(at), Instant(at), Left(deleted=False))


class Log:
    """What the tail reads: `rows`, where it is not held up."""

    def __init__(self) -> None:
        self.rows: list[RoomEvent] = []
        self.go = trio.Event()
        self.heard: list[RoomEvent] = []
        self.tail = LogTail(self.after)
        self.tail.listener = self.hear

    def hear(self, events: Sequence[RoomEvent]) -> None:
        self.heard += events

    async def after(self, position: Position, limit: int) -> LogPage | LogWentBack:
        await self.go.wait()
        return [(row.position, None) for row in self.rows if row.id > position.id][:limit]


async def test_its_own_events_are_told_as_they_were_made_unless_they_were_lost() -> None:
    log = Log()
    own, lost, other = event(1, HOUR), event(2, HOUR), event(3, HOUR)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log.tail.run)
        nursery.start_soon(log.tail.hear, [own, lost])
        await trio.testing.wait_all_tasks_blocked()
        log.rows = [
            own,
            event(2, 2 * HOUR),
            other,
        ]  # another has the number of the lost one, and its post is gone
        log.go.set()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert log.heard == [own]
    assert log.tail.position == other.position
