"""One frame to many: each receiver gets whole frames in order, whatever the state of the others."""

import trio
import trio.testing

from regserver.endpoint import Frame
from regserver.serving import broadcast_nowait, text_frame
from tests.serving.support import Peer, Room, bounds, open_front


class Scripted:
    """A receiver that takes what it is told to: a count of bytes, or an error."""

    def __init__(self, *takes: int | OSError) -> None:
        self._takes = list(takes)
        self.did: list[str] = []

    def direct(self, frame: Frame) -> int:
        take = self._takes.pop(0)
        if isinstance(take, OSError):
            raise take
        self.did.append(f"direct {frame.decode()}")
        return take

    def send_nowait(self, frame: Frame) -> bool:
        self.did.append(f"send {frame.decode()}")
        return True

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        self.did.append(f"rest {frame[taken:].decode()}")
        return True


def test_each_is_sent_to_once() -> None:
    """All kinds beside each other, at both ends and in a row: nobody is left out, nobody hears twice."""
    kinds = {
        "whole": (lambda: Scripted(3), ["direct abc"]),
        "busy": (lambda: Scripted(BlockingIOError()), ["send abc"]),
        "gone": (lambda: Scripted(ConnectionResetError()), ["send abc"]),
        "half": (lambda: Scripted(1), ["direct abc", "rest bc"]),
    }
    names = [first for first in kinds for _ in kinds] + list(kinds) * 2
    receivers = [kinds[name][0]() for name in names]
    broadcast_nowait(Frame(b"abc"), receivers)
    assert [receiver.did for receiver in receivers] == [kinds[name][1] for name in names]
    broadcast_nowait(Frame(b"abc"), [])


async def test_among_slow_and_lost_peers() -> None:
    room = Room()
    limits = bounds(queue_bytes=64 * 1024, send_buffer_bytes=16 * 1024, close_seconds=5)
    async with (
        open_front(limits, sockets={"/x": room}) as server,
        server.peer() as first,
        server.peer(receive_buffer=4096) as deaf,
        server.peer() as lost,
        server.peer() as last,
    ):
        for peer in (first, deaf, lost, last):
            await peer.upgrade("/x")
            await trio.testing.wait_all_tasks_blocked()
        await trio.aclose_forcefully(lost.stream)
        heard: dict[Peer, list[bytes]] = {first: [], last: []}

        async def hear(peer: Peer) -> None:
            while len(heard[peer]) < 2000:
                opcode, payload = await peer.frame()
                assert opcode == 1
                heard[peer].append(payload)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear, first)
            nursery.start_soon(hear, last)
            for number in range(2000):
                broadcast_nowait(text_frame(b"%04d" % number + b"x" * 500), room.sessions)
                await trio.lowlevel.checkpoint()
        assert heard[first] == heard[last] == [b"%04d" % number + b"x" * 500 for number in range(2000)]
        opcode, payload = await deaf.frame()
        count = 0
        while opcode != 8:
            assert payload[:4] == b"%04d" % count
            count += 1
            opcode, payload = await deaf.frame()
        assert payload == b"\x03\xf5too slow"
        assert 0 < count < 2000
        assert server.counts.closed[1006] == 1
