"""A bare fan-out on the front door: whoever subscribes is sent every frame; frames that wait leave in one write a socket."""

import trio

from regserver.endpoint import Frame, SocketSession
from regserver.serving import broadcast_nowait


class FanOut:
    """piece: so many sends go on without a checkpoint. Run `pump` beside the front door."""

    def __init__(self, piece: int) -> None:
        self._piece = piece
        self._members: dict[SocketSession, None] = {}
        self._waiting: list[Frame] = []
        self._idle = trio.lowlevel.ParkingLot()

    async def subscribe(self, session: SocketSession) -> None:
        self._members[session] = None
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
                written = Frame(b"".join(self._waiting))
                self._waiting.clear()
                members = list(self._members)
                for first in range(0, len(members), self._piece):
                    broadcast_nowait(written, members[first : first + self._piece])
                    await trio.lowlevel.checkpoint()
            await self._idle.park()
