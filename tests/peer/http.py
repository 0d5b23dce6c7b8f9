"""A provider on loopback: a real HTTP server that records requests and answers as the test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import h11
import msgspec
import trio


class Asked(msgspec.Struct, frozen=True):
    """One request as it arrived; field names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def form(self) -> dict[str, str]:
        return {
            key: values[0] for key, values in parse_qs(self.body.decode(), keep_blank_values=True).items()
        }

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Answer(msgspec.Struct, frozen=True):
    """status 0: the connection ends without an answer. status -1: it stays open and nothing comes."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


DROP = Answer(0)
HANG = Answer(-1)


def answer(value: object, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value))


class HttpPeer:
    """answer: may be replaced at any time."""

    def __init__(self, reply: Callable[[Asked], Answer]) -> None:
        self.reply = reply
        self.asked: list[Asked] = []
        self.url = ""

    async def serve(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while (asked := await _read(connection, stream)) is not None:
                self.asked.append(asked)
                reply = self.reply(asked)
                if reply.status == HANG.status:
                    await trio.sleep_forever()
                if reply.status == DROP.status:
                    return
                await stream.send_all(_bytes_of(connection, reply))
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.ProtocolError):
            return  # the client is gone
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)


async def _read(connection: h11.Connection, stream: trio.SocketStream) -> Asked | None:
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode(): value.decode() for name, value in head.headers}
            return Asked(head.method.decode(), head.target.decode(), headers, body)
        else:
            return None


def _bytes_of(connection: h11.Connection, reply: Answer) -> bytes:
    fields = [("content-type", reply.content_type), ("content-length", str(len(reply.body)))]
    fields += reply.headers
    sent = connection.send(h11.Response(status_code=reply.status, headers=fields)) or b""
    sent += connection.send(h11.Data(data=reply.body)) or b""
    return sent + (connection.send(h11.EndOfMessage()) or b"")


@asynccontextmanager
async def open_http_peer(reply: Callable[[Asked], Answer]) -> AsyncIterator[HttpPeer]:
    peer = HttpPeer(reply)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, peer.serve, 0, host="127.0.0.1"))
        host, port = listeners[0].socket.getsockname()[:2]
        peer.url = f"http://{host}:{port}"
        yield peer
        nursery.cancel_scope.cancel()


async def refused_url() -> str:
    """An address on which nobody listens."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    return f"http://127.0.0.1:{port}"
