"""Responses of one step leave at its end, whole, in order, and to each client whatever the others do."""

import errno
import socket
import struct

import pytest
import trio
import trio.testing

from regserver.endpoint import Request, Response
from regserver.serving import Front, FrontLimits
from regserver.serving.client_stream import PlainStream
from regserver.serving.held import unbounded_held
from regserver.serving.response_batch import MOST, ResponseBatch
from tests.serving.support import Peer, bounds, open_front, show

LONG = 12_000  # bytes of a body that is joined with its head
SLOW_READER = 4096  # of its receive buffer


def ask(number: int) -> bytes:
    return b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number


async def dial(port: int, receive_buffer: int) -> Peer:
    sock = trio.socket.socket()
    if receive_buffer:
        sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer)
    await sock.connect(("127.0.0.1", port))
    return Peer(trio.SocketStream(sock))


async def ask_on(peer: Peer, count: int) -> None:
    """Asks again and again without reading, each time after the answer before was sent."""
    for number in range(count):
        await peer.send(ask(number))
        await trio.testing.wait_all_tasks_blocked(0.001)


async def answer_long(request: Request) -> Response:
    return Response(body=request.path.encode().ljust(LONG))


def pair() -> tuple[PlainStream, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    limits = FrontLimits()
    return PlainStream(ours, None, None, limits, unbounded_held(limits)), theirs


async def share_a_step(batch: ResponseBatch) -> None:
    """Two responses in one step, after which those of the next wait for its end."""
    stream, peer = pair()
    with peer:
        batch.add_nowait(stream, b"x")
        batch.add_nowait(stream, b"x")
        await trio.lowlevel.checkpoint()
    stream.close()


async def test_who_is_alone_in_a_step_waits_for_nobody() -> None:
    stream, peer = pair()
    batch = ResponseBatch()
    with peer, batch.open():
        await share_a_step(batch)
        batch.add_nowait(stream, b"one")
        with pytest.raises(BlockingIOError):
            peer.recv(10)
        await trio.lowlevel.checkpoint()
        assert peer.recv(10) == b"one"
        for data in (b"two", b"three"):
            batch.add_nowait(stream, data)
            assert peer.recv(10) == data
            await trio.lowlevel.checkpoint()
    stream.close()


async def test_they_leave_at_the_end_of_the_step() -> None:
    stream, peer = pair()
    other, further = pair()
    batch = ResponseBatch()
    with peer, further:
        with batch.open():
            await share_a_step(batch)
            batch.add_nowait(stream, b"one")
            batch.add_nowait(other, b"two")
            for sock in (peer, further):
                with pytest.raises(BlockingIOError):
                    sock.recv(10)
            await trio.lowlevel.checkpoint()
            assert (peer.recv(10), further.recv(10)) == (b"one", b"two")
        stream.close()
        other.close()


async def test_no_more_wait_than_gain_by_it() -> None:
    stream, peer = pair()
    batch = ResponseBatch()
    with peer:
        with batch.open():
            await share_a_step(batch)
            for _ in range(MOST):
                batch.add_nowait(stream, b"x")
            assert len(peer.recv(2 * MOST)) == MOST
        stream.close()


@pytest.mark.parametrize("error", [OSError(errno.ENOBUFS, "no room"), RuntimeError("a bug")])
async def test_a_stream_that_fails_hinders_no_other(error: Exception) -> None:
    def fail(_: bytes) -> int:
        raise error

    broken, further = pair()
    stream, peer = pair()
    broken.send_nowait = fail
    batch = ResponseBatch()
    with peer, further:
        with batch.open():
            await share_a_step(batch)
            for data in (b"one", b"two"):  # Trio calls the batch the second time as well
                batch.add_nowait(broken, b"lost?")
                batch.add_nowait(stream, data)
                await trio.lowlevel.checkpoint()
                assert peer.recv(10) == data
            await broken.send_unsent()  # as its connection does
            assert further.recv(10) == b"lost?"
        stream.close()
        broken.close()


async def test_a_client_that_asks_on_without_reading_gets_all_in_order() -> None:
    count = 60
    async with open_front(dispatch=answer_long) as running, running.peer(SLOW_READER) as peer:
        await ask_on(peer, count)
        for number in range(count):
            status, _, body = await peer.response()
            assert (status, body.split()) == (200, [b"/%d" % number])
        assert (await peer.ask(ask(count)))[0] == 200


async def test_who_has_ended_its_side_still_gets_the_rest() -> None:
    count = 20
    async with open_front(bounds(linger_seconds=5), dispatch=answer_long) as running:
        async with running.peer(SLOW_READER) as peer:
            await ask_on(peer, count)
            assert isinstance(peer.stream, trio.SocketStream)
            await peer.stream.send_eof()
            await trio.testing.wait_all_tasks_blocked(0.01)
            for number in range(count):
                assert (await peer.response())[2].split() == [b"/%d" % number]
            assert await peer.ended()
        await running.settled()


async def test_idle_time_begins_when_the_rest_is_sent() -> None:
    count = 20
    limits = bounds(idle_seconds=1, head_seconds=0.5)
    async with open_front(limits, dispatch=answer_long) as running:
        async with running.peer(SLOW_READER) as peer:
            await ask_on(peer, count)
            await trio.sleep(1.5)
            await peer.send(ask(count)[:10])  # a part of a head, whose time does not run meanwhile either
            await trio.sleep(1)
            await peer.send(ask(count)[10:])
            for number in range(count + 1):
                assert (await peer.response())[2].split() == [b"/%d" % number]
            await trio.sleep(0.5)
            assert (await peer.ask(ask(0)))[0] == 200
            assert await peer.ended()
        await running.settled()


async def test_who_is_behind_keeps_its_place() -> None:
    count = 20
    async with (
        open_front(bounds(connections=1), dispatch=answer_long) as running,
        running.peer(SLOW_READER) as behind,
    ):
        await ask_on(behind, count)
        # Longer than the second after which the place of an idle connection may be taken.
        await trio.sleep(1.3)
        async with running.peer() as newcomer:
            assert (await newcomer.response())[0] == 503
        for number in range(count):
            assert (await behind.response())[2].split() == [b"/%d" % number]
        await trio.sleep(1.3)
        async with running.peer() as newcomer:
            assert (await newcomer.ask(ask(0)))[0] == 200
        assert await behind.ended()


async def test_a_shutdown_waits_for_who_is_behind_and_no_longer() -> None:
    count = 20
    async with open_front(bounds(grace_seconds=30, linger_seconds=5), dispatch=answer_long) as running:
        peer = await dial(running.port, SLOW_READER)
        await ask_on(peer, count)
        answered: list[bytes] = []

        async def read() -> None:
            await trio.sleep(0.2)
            while (answer := await peer.response())[0]:
                answered.append(answer[2].split()[0])  # whole
            await peer.aclose()

        running.nursery.start_soon(read)
        started = trio.current_time()
    assert trio.current_time() - started < 10
    # What was read has its answer; what came behind it never was, as on each connection that ends.
    assert answered
    assert answered == [b"/%d" % number for number in range(len(answered))]


async def test_no_further_request_of_a_client_that_has_gone_is_served() -> None:
    served = 0

    async def count(request: Request) -> Response:
        nonlocal served
        served += 1
        return await answer_long(request)

    async with open_front(bounds(write_seconds=0.3), dispatch=count) as running:
        async with running.peer(SLOW_READER) as peer:
            with trio.move_on_after(1):
                await peer.send(b"".join(map(ask, range(500))))
            await running.settled()
        assert served < 50
        for _ in range(10):
            peer = await dial(running.port, SLOW_READER)
            await ask_on(peer, 20)
            assert isinstance(peer.stream, trio.SocketStream)
            peer.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await peer.aclose()
        await running.settled()
        assert running.front.held_bytes == 0
        assert running.counts.errors == 0


async def test_a_malformed_request_is_refused_after_the_rest() -> None:
    count = 20
    async with open_front(dispatch=answer_long) as running, running.peer(SLOW_READER) as peer:
        await ask_on(peer, count)
        await peer.send(b"no request\r\n\r\n")
        statuses = [(await peer.response())[0] for _ in range(count + 1)]
        assert statuses == [200] * count + [400]


async def test_who_never_reads_is_reset() -> None:
    async with open_front(bounds(write_seconds=0.3), dispatch=answer_long) as running:
        async with running.peer(SLOW_READER) as peer:
            with trio.fail_after(10), pytest.raises(trio.BrokenResourceError):
                await ask_on(peer, 10_000)
            await running.settled()
            assert running.front.held_bytes == 0
            assert running.counts.errors == 0
        assert await running.is_fine()


async def test_a_shutdown_in_the_same_step_loses_no_answer() -> None:
    for _ in range(20):  # the order of tasks within a step is random
        first, second, shutdown = trio.Event(), trio.Event(), trio.Event()

        async def answer(
            request: Request,
            events: dict[str, trio.Event] = {"/1": first, "/2": second},  # noqa: B006
        ) -> Response:
            await events[request.path].wait()
            return await show(request)

        front = Front(dispatch=answer, socket=lambda _: None, limits=bounds())

        async def serve(
            front: Front = front, end: trio.Event = shutdown, *, task_status: trio.TaskStatus[list[str]]
        ) -> None:
            await front.serve(["127.0.0.1:0"], shutdown=end, task_status=task_status)

        async with trio.open_nursery() as nursery:
            (url,) = await nursery.start(serve)
            peers = [await dial(int(url.rpartition(":")[2]), 0) for _ in range(2)]
            for number, event in ((1, first), (2, second)):
                for peer in peers:
                    await peer.send(ask(number))
                await trio.testing.wait_all_tasks_blocked(0.002)
                event.set()  # both are answered in one step, and so the next two wait for its end
                if number == 2:
                    shutdown.set()
                for peer in peers:
                    assert (await peer.response())[0] == 200
            for peer in peers:
                await peer.aclose()
