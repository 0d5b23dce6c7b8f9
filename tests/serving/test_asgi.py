"""Sessions over ASGI, as a framework's test client sees them."""

import pytest
import trio
import trio.testing
from quart.testing import WebsocketResponseError
from quart.testing.connections import WebsocketDisconnectError
from quart.wrappers import Response as QuartResponse
from quart_trio import QuartTrio

from regserver.endpoint import Response, SocketEndpoint, SocketSession
from regserver.serving import asgi_sessions, receive_text, request_from_scope, text_frame
from tests.serving.support import Counts, bounds, echo, quart_app, show


def _app(counts: Counts | None = None, **sockets: SocketEndpoint) -> QuartTrio:
    app = quart_app(show, 100)
    routes = {f"/{name}": endpoint for name, endpoint in sockets.items()}
    app.asgi_app = asgi_sessions(app.asgi_app, routes.get, bounds(queue_bytes=1000), counts)  # type: ignore[method-assign, assignment]
    return app


async def test_echo() -> None:
    counts = Counts()
    client = _app(counts, echo=echo).test_client()
    async with client.websocket("/echo") as websocket:
        for message in ("text", "", b"bytes"):
            await websocket.send(message)
            assert await websocket.receive() == message
        assert counts.sessions == 1
    assert counts.sessions == 0


async def test_other_paths_and_requests_pass_through() -> None:
    response = await _app(echo=echo).test_client().get("/echo")
    assert response.status_code == 200
    assert b"'/echo'" in await response.get_data(as_text=False)


async def test_rejection() -> None:
    async def reject(session: SocketSession) -> None:
        assert session.request.headers["x-a"] == "1"
        session.reject_nowait(Response(status=403, body=b"no", content_type="text/plain"))

    with pytest.raises(ExceptionGroup) as caught:
        async with _app(no=reject).test_client().websocket("/no", headers={"X-A": "1"}) as websocket:
            await websocket.receive()
    error = caught.value.exceptions[0]
    assert isinstance(error, WebsocketResponseError)
    assert isinstance(error.response, QuartResponse)
    assert error.response.status_code == 403


async def test_close_code_and_last_words() -> None:
    counts = Counts()

    async def say(session: SocketSession) -> None:
        assert session.send_text_nowait("before the answer")
        session.accept_nowait()
        assert session.send_text_nowait("after it")
        session.close_nowait(4001, "bye")
        assert not session.send_text_nowait("too late")

    received = []
    with pytest.RaisesGroup(WebsocketDisconnectError, flatten_subgroups=True):
        async with _app(counts, say=say).test_client().websocket("/say") as websocket:
            while True:
                received.append(await websocket.receive())
    assert received == ["before the answer", "after it"]
    assert counts.closed == {4001: 1}


async def test_too_much_for_the_queue() -> None:
    counts = Counts()

    async def pour(session: SocketSession) -> None:
        session.accept_nowait()
        assert session.send_nowait(text_frame("x" * 900))
        assert not session.send_nowait(text_frame("x" * 900))

    with pytest.RaisesGroup(WebsocketDisconnectError, flatten_subgroups=True):
        async with _app(counts, pour=pour).test_client().websocket("/pour") as websocket:
            await websocket.receive()
    assert counts.closed == {1013: 1}


async def test_all_who_wait_for_the_queue_go_on() -> None:
    waited = []

    async def wait(session: SocketSession) -> None:
        await session.drained()
        waited.append(session)

    async def pour(session: SocketSession) -> None:
        session.accept_nowait()
        assert session.send_nowait(text_frame("x" * 900))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, session)
            nursery.start_soon(wait, session)

    with pytest.RaisesGroup(WebsocketDisconnectError, flatten_subgroups=True):
        async with _app(pour=pour).test_client().websocket("/pour") as websocket:
            assert await websocket.receive() == "x" * 900
            await websocket.receive()
    assert len(waited) == 2


async def test_text_only() -> None:
    counts = Counts()

    async def read(session: SocketSession) -> None:
        session.accept_nowait()
        assert await receive_text(session) == "text"
        await receive_text(session)

    with pytest.RaisesGroup(WebsocketDisconnectError, flatten_subgroups=True):
        async with _app(counts, read=read).test_client().websocket("/read") as websocket:
            await websocket.send("text")
            await websocket.send(b"bytes")
            await websocket.receive()
    assert (counts.errors, counts.closed) == (0, {1003: 1})


async def test_endpoint_that_fails() -> None:
    counts = Counts()

    async def fail(session: SocketSession) -> None:
        session.accept_nowait()
        raise ValueError

    with pytest.RaisesGroup(WebsocketDisconnectError, flatten_subgroups=True):
        async with _app(counts, fail=fail).test_client().websocket("/fail") as websocket:
            await websocket.receive()
    assert (counts.errors, counts.closed) == (1, {1011: 1})


async def test_client_that_leaves() -> None:
    ended = trio.Event()

    async def wait(session: SocketSession) -> None:
        session.accept_nowait()
        await session.wait_closed()
        ended.set()

    async with _app(wait=wait).test_client().websocket("/wait"):
        await trio.testing.wait_all_tasks_blocked()
    assert ended.is_set()


def test_request_of_a_scope() -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/a b",
        "query_string": b"x=%20",
        "scheme": "wss",
        "client": ("::1", 5),
        "headers": [(b"X-A", b"1"), (b"x-a", b"2"), (b"connection", b"close"), (b"Content-Length", b"3")],
    }
    request = request_from_scope(scope, b"abc")
    assert (request.method, request.path, request.query, request.body) == ("POST", "/a b", "x=%20", b"abc")
    assert (dict(request.headers), request.peer, request.scheme) == ({"x-a": "1, 2"}, "::1", "https")
    assert request_from_scope({**scope, "client": None}, b"abc", oversized=True).body == b""
