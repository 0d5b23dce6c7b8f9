"""The event log: no event appears before a reader's position, and removed events stay removed."""

from functools import partial

from regserver.domain.instant import after
from regserver.ports.store import Store
from regserver.ports.transaction import Lock
from tests.store.meeting.room import Door
from tests.store.race import Racer, Racers, Scenario, rows


async def _behind_a_reader(store: Store, append: str) -> Racers:
    """Two rooms, so that their locks do not keep the two apart; after the second change somebody reads the log."""
    door = Door(store)
    await door.people("ann", "bob", "cid")
    mine, theirs = await door.room("ann", "cid"), await door.room("bob", "cid")
    read: list[list[tuple[int]]] = []

    async def post_and_read() -> object:
        posted = await door.post("bob", theirs)
        read.append(await rows(store, "SELECT id FROM event ORDER BY id"))
        return posted

    async def nothing_came_later() -> bool:
        """Whether all events up to the end that was read were read."""
        now = await rows(store, "SELECT id FROM event WHERE id <= ? ORDER BY id", read[0][-1][0])
        return now == read[0]

    first: Racer = partial(door.leave, "ann", mine) if append == "leave" else partial(door.post, "ann", mine)
    return Racers(first, post_and_read, nothing_came_later)


async def _two_cuts(store: Store) -> Racers:
    """Two nodes cut at once: the log begins where the cut says, whoever comes last."""
    door = Door(store)
    await door.people("ann", "bob")
    room = await door.room("ann", "bob")
    for _ in range(6):
        await door.post("ann", room)
    before = after(door.clock.now(), 1)

    async def cut(limit: int) -> str:
        count = await store.write(lambda transaction: transaction.events.trim(before, limit))
        return "cut" if count else "nothing to cut"

    async def begins_after_the_cut() -> object:
        return await rows(store, "SELECT (SELECT min(id) FROM event) = (SELECT position + 1 FROM event_cut)")

    return Racers(partial(cut, 1), partial(cut, 3), begins_after_the_cut)


SCENARIOS = (
    Scenario("a post appears behind a reader", partial(_behind_a_reader, append="post"), Lock.LOG),
    Scenario("a leaving appears behind a reader", partial(_behind_a_reader, append="leave"), Lock.LOG),
    Scenario("two nodes cut the log", _two_cuts),
)
