"""Responses of one step leave at its end, whole, in order, and to each client whatever the others do."""

import socket

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


async def test_they_leave_at_the_end_of_the_step() -> None:
    stream, peer = pair()
    other, further = pair()
    batch = ResponseBatch()
    with peer, further:
        async with trio.open_nursery() as nursery:
            with batch.open(nursery):
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
        async with trio.open_nursery() as nursery:
            with batch.open(nursery):
                for _ in range(MOST):
                    batch.add_nowait(stream, b"x")
                assert len(peer.recv(2 * MOST)) == MOST
        stream.close()


async def test_a_peer_that_has_gone_hinders_no_other() -> None:
    stream, peer = pair()
    other, further = pair()
    peer.close()
    batch = ResponseBatch()
    with further:
        async with trio.open_nursery() as nursery:
            with batch.open(nursery):
                batch.add_nowait(stream, b"one")
                batch.add_nowait(other, b"two")
                await trio.lowlevel.checkpoint()
                assert further.recv(10) == b"two"
                batch.add_nowait(other, b"three")  # Trio calls the batch as before
                await trio.lowlevel.checkpoint()
                assert further.recv(10) == b"three"
        stream.close()
        other.close()


async def test_a_bug_in_it_stops_no_later_response(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: bytes) -> int:
        raise RuntimeError

    stream, peer = pair()
    broken, further = pair()
    broken.send_nowait = fail
    batch = ResponseBatch()
    with peer, further:
        async with trio.open_nursery() as nursery:
            with batch.open(nursery):
                batch.add_nowait(broken, b"one")
                await trio.lowlevel.checkpoint()
                batch.add_nowait(stream, b"two")
                await trio.lowlevel.checkpoint()
                assert peer.recv(10) == b"two"
        stream.close()
        broken.close()
    assert "responses could not be sent" in caplog.text


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


async def test_who_is_behind_is_not_idle() -> None:
    count = 20
    limits = bounds(connections=2, idle_seconds=0.5, head_seconds=0.5)
    async with open_front(limits, dispatch=answer_long) as running:
        async with running.peer(SLOW_READER) as behind, running.peer() as idle:
            await ask_on(behind, count)
            assert (await idle.ask(ask(0)))[0] == 200
            await trio.sleep(
                1.3
            )  # longer than both times, and than the second after which a place may be taken
            assert await idle.ended()
            await behind.send(ask(count)[:10])
            await trio.sleep(1)
            await behind.send(ask(count)[10:])
            for number in range(count + 1):
                assert (await behind.response())[2].split() == [b"/%d" % number]
            assert await behind.ended()  # its time has begun by now
        await running.settled()


async def test_who_is_behind_keeps_its_place() -> None:
    count = 20
    async with (
        open_front(bounds(connections=1), dispatch=answer_long) as running,
        running.peer(SLOW_READER) as behind,
    ):
        await ask_on(behind, count)
        await trio.sleep(
            1.3
        )  # longer than the second after which the place of an idle connection may be taken
        async with running.peer() as newcomer:
            assert (await newcomer.response())[0] == 503
        for number in range(count):
            assert (await behind.response())[2].split() == [b"/%d" % number]
        await trio.sleep(1.3)
        async with running.peer() as newcomer:
            assert (await newcomer.ask(ask(0)))[0] == 200
        assert await behind.ended()


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
        go, shutdown = trio.Event(), trio.Event()

        async def answer(request: Request, go: trio.Event = go) -> Response:
            await go.wait()
            return await show(request)

        front = Front(dispatch=answer, socket=lambda _: None, limits=bounds())
        async with trio.open_nursery() as nursery:

            async def serve(
                task_status: trio.TaskStatus[list[str]], front: Front = front, end: trio.Event = shutdown
            ) -> None:
                await front.serve(["127.0.0.1:0"], shutdown=end, task_status=task_status)

            (url,) = await nursery.start(serve)
            peer = Peer(await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2])))
            await peer.send(ask(1))
            await trio.testing.wait_all_tasks_blocked(0.002)
            go.set()
            shutdown.set()
            assert (await peer.response())[0] == 200
            await peer.aclose()
