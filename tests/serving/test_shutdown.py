"""The shutdown: orderly within the grace time, forced after it, and bounded whatever the peers do."""

import pytest
import trio
import trio.testing

from regserver.endpoint import Request, Response, SocketSession
from regserver.serving import BindError, Front, text_frame
from tests.serving.support import (
    Counts,
    Peer,
    bounds,
    client_frame,
    close_payload,
    open_front,
    show,
    upgrade,
)


class Gate:
    """A dispatcher that answers when the test says so."""

    def __init__(self) -> None:
        self.entered = trio.Event()
        self.go = trio.Event()

    async def __call__(self, request: Request) -> Response:
        if request.path.endswith("slow"):
            self.entered.set()
            await self.go.wait()
        return await show(request)


async def test_what_is_in_flight_is_finished() -> None:
    gate = Gate()
    async with trio.open_nursery() as nursery:
        shutdown = trio.Event()
        front = Front(dispatch=gate, socket=lambda _: None, limits=bounds())
        (url,) = await nursery.start(_serve, front, shutdown)
        port = int(url.rpartition(":")[2])
        busy = Peer(await trio.open_tcp_stream("127.0.0.1", port))
        idle = Peer(await trio.open_tcp_stream("127.0.0.1", port))
        assert (await idle.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
        await busy.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await gate.entered.wait()
        shutdown.set()
        assert await idle.ended()
        with pytest.raises(OSError, match=r"."):  # nobody listens any more
            await trio.open_tcp_stream("127.0.0.1", port)
        gate.go.set()
        status, fields, _ = await busy.response()
        assert (status, fields["connection"]) == (200, "close")
        assert await busy.ended()
        await busy.aclose()
        await idle.aclose()
    assert front.connections == 0


async def test_a_front_door_that_leaves_serves_on_and_keeps_no_connection() -> None:
    async with open_front() as server:
        kept = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
        assert "connection" not in (await kept.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[1]
        server.front.leave_nowait()
        fresh = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
        for peer in (kept, fresh):
            status, fields, _ = await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (status, fields["connection"]) == (200, "close")
            assert await peer.ended()
            await peer.aclose()


async def test_what_comes_by_a_kept_connection_just_after_the_address_is_closed_is_served() -> None:
    async with trio.open_nursery() as nursery:
        shutdown = trio.Event()
        front = Front(dispatch=show, socket=lambda _: None, limits=bounds())
        (url,) = await nursery.start(_serve, front, shutdown)
        port = int(url.rpartition(":")[2])
        kept = Peer(await trio.open_tcp_stream("127.0.0.1", port))
        assert (await kept.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
        waiting = await trio.open_tcp_stream("127.0.0.1", port)  # the accept loop gets no turn in between
        front.leave_nowait()
        shutdown.set()
        for peer in (kept, Peer(waiting)):
            status, fields, _ = await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (status, fields["connection"]) == (200, "close")
            await peer.aclose()
        with pytest.raises(OSError, match=r"."):
            await trio.open_tcp_stream("127.0.0.1", port)


async def _serve(
    front: Front, shutdown: trio.Event, task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED
) -> None:
    await front.serve(["127.0.0.1:0"], shutdown=shutdown, task_status=task_status)


async def test_sessions_are_told() -> None:
    async with trio.open_nursery() as nursery:
        async with open_front(bounds(grace_seconds=5)) as server:
            codes = []

            async def listen(peer: Peer) -> None:
                codes.append(await peer.close_code())
                await peer.send(close_payload(1001))
                assert await peer.ended()
                await peer.aclose()

            for path in ("/echo", "/listen"):
                peer = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
                await peer.upgrade(path)
                nursery.start_soon(listen, peer)
            started = trio.current_time()
        assert trio.current_time() - started < 3  # nobody waited for the grace time
    assert codes == [1001, 1001]


async def test_a_handshake_in_the_middle_is_answered() -> None:
    entered = trio.Event()

    async def thinks(session: SocketSession) -> None:
        entered.set()
        await trio.sleep(0.1)
        session.accept_nowait()

    async with open_front(sockets={"/x": thinks}) as server:
        peer = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
        await peer.send(upgrade("/x"))
        await entered.wait()
    assert (await peer.response())[0] == 503
    await peer.aclose()


async def test_200_clients_that_never_read() -> None:
    """Sessions and responses, every queue and buffer full: the end comes soon after the grace time, not after 60 s."""

    async def big(request: Request) -> Response:
        return Response(body=b"x" * 1_000_000)

    async def pour(session: SocketSession) -> None:
        session.accept_nowait()
        while session.send_nowait(frame):
            await trio.lowlevel.checkpoint()
        await session.wait_closed()

    frame = text_frame(b"x" * 10_000)
    streams = []
    limits = bounds(grace_seconds=0.5, close_seconds=60, write_seconds=60)
    async with open_front(limits, dispatch=big, sockets={"/pour": pour}) as server:
        for number in range(200):
            sock = trio.socket.socket()
            sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
            await sock.connect(("127.0.0.1", server.port))
            stream = trio.SocketStream(sock)
            streams.append(stream)
            kinds = (
                upgrade("/pour"),
                b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            )
            await stream.send_all(kinds[number % 3])
        with trio.fail_after(10):
            while server.front.connections < 200:
                await trio.testing.wait_all_tasks_blocked(0.01)
        await trio.testing.wait_all_tasks_blocked(0.05)
        started = trio.current_time()
    assert trio.current_time() - started < limits.close_seconds / 4
    assert server.counts.open == server.counts.sessions == 0
    for stream in streams:
        await trio.aclose_forcefully(stream)


async def test_force_ends_the_grace_time() -> None:
    gate = Gate()
    limits = bounds(grace_seconds=60, close_seconds=60)
    async with open_front(limits, dispatch=gate) as server:
        busy = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
        await busy.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await gate.entered.wait()
        deaf = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
        await deaf.upgrade("/listen")
        server.front.abort_nowait()
        started = trio.current_time()
    assert trio.current_time() - started < 1
    assert await busy.ended()
    await busy.aclose()
    await deaf.aclose()


async def test_cancelling_ends_at_once() -> None:
    gate = Gate()
    limits = bounds(grace_seconds=60, close_seconds=60)
    with trio.CancelScope() as scope:
        async with open_front(limits, dispatch=gate) as server:
            peers = [Peer(await trio.open_tcp_stream("127.0.0.1", server.port)) for _ in range(3)]
            await peers[0].send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            await peers[1].upgrade("/listen")
            await gate.entered.wait()
            started = trio.current_time()
            scope.cancel()
    assert trio.current_time() - started < 1
    for peer in peers:
        assert await peer.ended()
        await peer.aclose()


async def test_messages_still_arrive_before_the_close() -> None:
    async with trio.open_nursery() as nursery, open_front() as server:
        peer = Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
        await peer.upgrade("/echo", early=client_frame(b"one"))
        assert await peer.frame() == (1, b"one")
        nursery.start_soon(peer.close_code)
    await peer.aclose()


async def test_a_bind_that_fails_says_which_and_why() -> None:
    async with open_front() as server:
        front = Front(dispatch=show, socket=lambda _: None, metrics=Counts())
        taken = f"127.0.0.1:{server.port}"
        with pytest.raises(BindError) as caught:
            async with front.open(["127.0.0.1:0", taken]):
                raise AssertionError
        assert caught.value.address == taken
        assert "in use" in caught.value.reason
        assert taken in str(caught.value)


async def test_an_error_of_the_caller_passes() -> None:
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with open_front():
            raise ZeroDivisionError
