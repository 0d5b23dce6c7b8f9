"""A burst in a large room: everybody hears all of it, in order and in few writes, and other rooms do not wait for it."""

import trio

from regserver.broker.local import open_local_broker
from regserver.broker.making import Making
from regserver.domain.account import AccountId
from regserver.domain.room_event import Audience, EventId, RoomEvent
from regserver.endpoint import Frame
from regserver.serving import broadcast_nowait
from tests.broker.test_local import ANN, BOB, HALL, POST, TEA, Ear, Log, TrioClock, attach

SOCKETS, EVENTS, COMMIT = 5000, 10_000, 100
MOST_WRITES = 2 * EVENTS // 50
"""Of one socket: most of what waits leaves together."""


class Taker(Ear):
    """Takes everything, and remembers the last number and how much it was: a list of each would fill the memory."""

    last = 0
    events = 0
    count = 0

    def direct(self, frame: Frame) -> int:
        self.count += 1
        self.events += frame.count(b";")
        self.last = int(frame[-8:-1])
        return len(frame)


def number(event: RoomEvent, _: Audience) -> Frame:
    return Frame(b"%07d;" % event.id)


async def test_a_burst_of_ten_thousand_events_to_five_thousand_sockets() -> None:
    making = Making(
        {"plain": number, "resumable": number}, {}, broadcast_nowait, lambda frames, receivers: None
    )
    async with open_local_broker(making, TrioClock()) as broker:
        log = Log(broker)
        takers = [Taker(AccountId(10 + n), resumable=n % 2 == 0) for n in range(SOCKETS)]
        for taker in takers:
            attach(broker, taker, [TEA])
        witnesses = [attach(broker, Ear(BOB, resumable=resumable), [TEA]) for resumable in (True, False)]
        elsewhere = attach(broker, Ear(AccountId(4)), [HALL])

        def has_ended() -> bool:
            return all(taker.last == EVENTS for taker in takers) and all(
                len(witness.heard) == EVENTS for witness in witnesses
            )

        for first in range(0, EVENTS, COMMIT):
            broker.publish_nowait([log.event(TEA, ANN, POST) for _ in range(COMMIT)])
            if first % (10 * COMMIT) == 0:
                await trio.lowlevel.checkpoint()
        log.say(HALL, ANN)
        assert elsewhere.heard == [f"{EVENTS + 1:07}"]  # at once, while the others wait for most of theirs
        assert all(taker.last < EVENTS for taker in takers)
        with trio.fail_after(120):
            while not has_ended():  # noqa: ASYNC110  (nothing tells it)
                await trio.sleep(0.01)
        assert {taker.events for taker in takers} == {EVENTS}
        assert max(taker.count for taker in takers) <= MOST_WRITES
        for witness in witnesses:
            assert [EventId(int(text)) for text in witness.heard] == list(range(1, EVENTS + 1))
        assert broker.count(BOB) == len(witnesses)
