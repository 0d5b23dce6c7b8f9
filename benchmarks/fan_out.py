"""A bare fan-out on the front door: whoever subscribes is sent every frame; frames that wait leave in one write a socket."""

import trio

from regserver.broker.round_robin import RoundRobin
from regserver.endpoint import Frame, SocketSession
from regserver.serving import broadcast_nowait


class FanOut:
    """piece: so many sends go on without a checkpoint. Run `pump` beside the front door."""

    def __init__(self, piece: int) -> None:
        self._piece = piece
        self._members: dict[SocketSession, None] = {}
        self._waiting: list[Frame] = []
        self._idle = trio.lowlevel.ParkingLot()
        self._joins = 0

    async def subscribe(self, session: SocketSession) -> None:
        self._members[session] = None
        self._joins += 1
        session.accept_nowait()
        try:
            await session.wait_closed()
        finally:
            del self._members[session]

    def publish_nowait(self, frame: Frame) -> None:
        self._waiting.append(frame)
        self._idle.unpark()

    async def pump(self) -> None:
        while True:
            while self._waiting:
                await self._send()
            await self._idle.park()

    async def _send(self) -> None:
        """Sends what waits, and what comes meanwhile unless somebody has joined."""
        joins = self._joins
        turns = RoundRobin(list(self._members), self._piece, broadcast_nowait, lambda frames, receivers: None)
        while True:
            if self._joins == joins:
                for frame in self._waiting:
                    turns.add_nowait(frame)
                self._waiting.clear()
            if not turns.turn_nowait():
                return
            await trio.lowlevel.checkpoint()
