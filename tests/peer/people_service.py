"""An operator's service of people, as the `http` source calls it: a real HTTP server, told by the test how to behave."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import h11
import msgspec
import trio

Piece = bytes | float | trio.Event
"""What a stream does next: say something, pause for so many seconds, or wait."""


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def steps(count: int, pause: float = 0.0) -> list[Piece]:
    """A plain registration of `count` steps."""
    script: list[Piece] = []
    for number in range(1, count + 1):
        script += [line(step=number, totalSteps=count, message=f"Step {number}"), pause]
    return script


NAME = line(name={"firstName": "Ada", "lastName": "Lovelace"})
DONE = line(done=True)
SCRIPT: tuple[Piece, ...] = (*steps(3), NAME, DONE)


class Person(msgspec.Struct):
    """cut: whether the stream breaks off instead of ending. status: what the profile is answered with."""

    password: str
    script: Sequence[Piece] = SCRIPT
    subject: Any = None
    cut: bool = False
    status: int = 200


class Call(msgspec.Struct, frozen=True):
    path: str
    headers: dict[str, str]
    body: Any


class Answer(msgspec.Struct, frozen=True):
    """What every verify is answered with instead of the truth."""

    status: int = 200
    body: bytes = b"{}"
    pause: float = 0.0


class PeopleService:
    """people: by user name. answer: set it to let all checks fail in some way. calls: what was asked so far."""

    def __init__(self, **people: Person) -> None:
        self.people = people
        self.answer: Answer | None = None
        self.calls: list[Call] = []
        self.streams = 0  # profiles being told now
        self.url = ""

    def count(self, path: str) -> int:
        return sum(call.path == path for call in self.calls)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator["PeopleService"]:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/base"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, self._serve, [listener])
            yield self
            nursery.cancel_scope.cancel()

    async def _serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            exchange = _Exchange(stream)
            try:
                while await self._answer(exchange):
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError):
                return

    async def _answer(self, exchange: "_Exchange") -> bool:
        """One request; whether another may follow."""
        call = await exchange.request()
        if call is None:
            return False
        self.calls.append(call)
        if call.path == "/base/verify":
            await self._verify(exchange, call.body)
            return True
        person = next(p for key, p in self.people.items() if (p.subject or key) == call.body["subject"])
        self.streams += 1
        try:
            return await self._tell(exchange, person)
        finally:
            self.streams -= 1

    async def _verify(self, exchange: "_Exchange", body: Any) -> None:
        if self.answer is not None:
            await trio.sleep(self.answer.pause)
            await exchange.respond(self.answer.status, self.answer.body)
            return
        person = self.people.get(body["username"])
        if person is None or person.password != body["password"]:
            await exchange.respond(401, b"{}")
        else:
            subject = person.subject or body["username"]
            await exchange.respond(200, json.dumps({"subject": subject}).encode())

    async def _tell(self, exchange: "_Exchange", person: Person) -> bool:
        await exchange.start(person.status, "application/x-ndjson")
        for piece in person.script:
            if isinstance(piece, bytes):
                await exchange.say(piece)
            elif isinstance(piece, float):
                await trio.sleep(piece)
            else:
                await piece.wait()
        if person.cut:
            return False
        await exchange.end()
        return True


class _Exchange:
    """Requests and responses on one connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.SERVER)

    async def request(self) -> Call | None:
        head, body = None, b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._stream.receive_some())
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                headers = {name.decode(): value.decode() for name, value in head.headers}
                return Call(head.target.decode(), headers, json.loads(body))
            else:
                return None

    async def respond(self, status: int, body: bytes) -> None:
        await self.start(status, "application/json", len(body))
        await self.say(body)
        await self.end()

    async def start(self, status: int, content_type: str, length: int | None = None) -> None:
        headers = [("content-type", content_type)]
        if length is not None:
            headers.append(("content-length", str(length)))
        await self._send(h11.Response(status_code=status, headers=headers))

    async def say(self, piece: bytes) -> None:
        await self._send(h11.Data(data=piece))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()

    async def _send(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> None:
        await self._stream.send_all(self._http.send(event) or b"")
