"""A client's stream against Trio's contract for streams, and its further methods."""

import socket
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from regserver.serving import FrontLimits
from regserver.serving.client_stream import PlainStream
from regserver.serving.held import unbounded_held
from regserver.serving.send_queue import Rest, drop_all, take_off


class Checkpointing(PlainStream):
    """With the one thing that PlainStream leaves out for speed: a checkpoint when the kernel takes all at once."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._sending:
            raise trio.BusyResourceError
        self._sending = True
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self._sending = False
        await super().send_all(data)


def _pair(kind: Callable[[socket.socket], PlainStream]) -> tuple[PlainStream, PlainStream]:
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    return kind(left), kind(right)


def _stream(sock: socket.socket, write_seconds: float = 60) -> PlainStream:
    limits = FrontLimits(write_seconds=write_seconds)
    return Checkpointing(sock, None, None, limits, unbounded_held(limits))


async def test_it_is_a_stream_of_trio() -> None:
    async def make() -> tuple[PlainStream, PlainStream]:
        return _pair(_stream)

    async def make_clogged() -> tuple[PlainStream, PlainStream]:
        left, right = _pair(_stream)
        for stream in (left, right):
            _clog(stream)
        return left, right

    maker: Callable[[], Awaitable[tuple[PlainStream, PlainStream]]] = make
    with trio.fail_after(20):
        await trio.testing.check_two_way_stream(maker, make_clogged)


def _clog(stream: PlainStream) -> None:
    try:
        while True:
            stream.send_nowait(b"x" * 100_000)
    except BlockingIOError:
        pass


async def test_two_senders_are_told() -> None:
    left, right = _pair(_stream)
    _clog(left)
    async with left, right, trio.open_nursery() as nursery:
        nursery.start_soon(left.send_all, b"first")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await left.send_all(b"second")
        nursery.cancel_scope.cancel()


async def test_a_peer_that_does_not_read_is_lost() -> None:
    left, right = _pair(lambda sock: _stream(sock, write_seconds=0.05))
    async with left, right:
        _clog(left)
        with pytest.raises(trio.BrokenResourceError):
            await left.send_all(b"x")
        with pytest.raises(trio.BrokenResourceError):
            await left.send_queued([b"x"])


async def test_a_queue_leaves_as_far_as_it_fits() -> None:
    left, right = _pair(_stream)
    async with left, right:
        queue = [b"a" * 10, b"b" * 2_000_000]
        taken = await left.send_queued(queue)
        assert 10 < taken < 2_000_010
        (rest,) = queue
        assert isinstance(rest, Rest)
        assert len(rest) == 2_000_010 - taken


@pytest.mark.parametrize(
    ("taken", "left"), [(0, [b"abc", b"de"]), (2, [b"c", b"de"]), (3, [b"de"]), (4, [b"e"]), (5, [])]
)
def test_bytes_are_taken_off_a_queue(taken: int, left: list[bytes]) -> None:
    queue = [b"abc", b"de"]
    take_off(queue, taken)
    assert queue == left
    half_sent = taken in (2, 4)
    assert [isinstance(chunk, Rest) for chunk in queue[:1]] == [half_sent] * bool(left)
    drop_all(queue)
    assert queue == (left[:1] if half_sent else [])
