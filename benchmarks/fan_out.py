"""A bare fan-out on the front door: whoever subscribes is sent every frame, in slices with a checkpoint between them."""

import trio

from regserver.endpoint import Frame, SocketSession
from regserver.serving import broadcast_nowait


class FanOut:
    """piece: so many sends go on without a checkpoint."""

    def __init__(self, piece: int) -> None:
        self._piece = piece
        self._members: dict[SocketSession, None] = {}

    async def subscribe(self, session: SocketSession) -> None:
        self._members[session] = None
        session.accept_nowait()
        try:
            await session.wait_closed()
        finally:
            del self._members[session]

    async def send(self, frame: Frame) -> None:
        members = list(self._members)
        for first in range(0, len(members), self._piece):
            broadcast_nowait(frame, members[first : first + self._piece])
            await trio.lowlevel.checkpoint()
