"""Clients that speak TLS, and a small HTTP/2 client with WebSockets over it (RFC 8441)."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable

import h2.config
import h2.connection
import h2.events
import trio

from tests.serving.support import Peer, RunningFront

Fields = list[tuple[str, str]]
Certificate = tuple[str, str]


def text_of(fields: Iterable[tuple[str | bytes, str | bytes]]) -> dict[str, str]:
    """The fields of an event."""
    return {str(name): str(value) for name, value in fields}  # header_encoding makes them text already


class Http2Peer(Peer):
    """Streams are asked one after the other; events of others are kept."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        super().__init__(stream)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.events: list[h2.events.Event] = []
        self.acknowledges = True  # gives the server its flow control window back

    async def start(self) -> None:
        self.http.initiate_connection()
        await self.flush()
        await self.next_event(h2.events.RemoteSettingsChanged)

    async def flush(self) -> None:
        await self.send(self.http.data_to_send())

    async def next_event(self, *kinds: type[h2.events.Event]) -> h2.events.Event:
        """The next event of these kinds, the others before it dropped; EOFError when there is none."""
        with trio.fail_after(10):
            while True:
                while self.events:
                    event = self.events.pop(0)
                    if isinstance(event, kinds):
                        return event
                await self._pull()

    async def _pull(self) -> None:
        if not await self._more():
            raise EOFError
        data, self.buffer = self.buffer, b""
        events = self.http.receive_data(data)
        for event in events:
            if isinstance(event, h2.events.DataReceived) and self.acknowledges:
                self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self.events += events
        await self.flush()

    async def open(self, fields: Fields, body: bytes | None = b"") -> int:
        """Opens a stream; a body of None leaves it open."""
        number = self.http.get_next_available_stream_id()
        self.http.send_headers(number, fields, end_stream=body == b"")
        await self.flush()
        while body and not any(isinstance(event, h2.events.ResponseReceived) for event in self.events):
            room = min(self.http.local_flow_control_window(number), self.http.max_outbound_frame_size)
            if not room:
                await self._pull()
                continue
            chunk, body = body[:room], body[room:]
            self.http.send_data(number, chunk, end_stream=not body)
            await self.flush()
        return number

    async def ask_http2(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        pseudo = [(":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost")]
        return await self.ask_fields(pseudo, body)

    async def ask_fields(self, asked: Fields, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """One request with these fields, pseudo fields first."""
        await self.open(asked, body)
        response = await self.next_event(h2.events.ResponseReceived)
        assert isinstance(response, h2.events.ResponseReceived)
        fields = text_of(response.headers)
        content = b""
        while True:
            event = await self.next_event(h2.events.DataReceived, h2.events.StreamEnded)
            if isinstance(event, h2.events.StreamEnded):
                return int(fields[":status"]), fields, content
            assert isinstance(event, h2.events.DataReceived)
            content += event.data

    async def connect(self, path: str, *more: tuple[str, str]) -> "Http2Socket":
        """An extended CONNECT; its response is not read yet."""
        number = await self.open(
            [
                (":method", "CONNECT"), (":protocol", "websocket"), (":path", path), (":scheme", "https"),
                (":authority", "localhost"), ("sec-websocket-version", "13"), *more,
            ],
            None,
        )  # fmt: skip
        return Http2Socket(self, number)


class Http2Socket(Peer):
    """A WebSocket in a stream: reads and writes frames as any Peer does."""

    def __init__(self, peer: Http2Peer, number: int) -> None:
        super().__init__(peer.stream)
        self.peer = peer
        self.number = number

    async def status(self) -> tuple[int, dict[str, str]]:
        response = await self.peer.next_event(h2.events.ResponseReceived)
        assert isinstance(response, h2.events.ResponseReceived)
        fields = text_of(response.headers)
        return int(fields[":status"]), fields

    async def send(self, data: bytes) -> None:
        self.peer.http.send_data(self.number, data)
        await self.peer.flush()

    async def _more(self) -> bool:
        event = await self.peer.next_event(
            h2.events.DataReceived,
            h2.events.StreamEnded,
            h2.events.StreamReset,
            h2.events.ConnectionTerminated,
        )
        if isinstance(event, h2.events.DataReceived):
            self.buffer += event.data
            return True
        return False


@contextlib.asynccontextmanager
async def secure(
    server: RunningFront, certificate: Certificate, *protocols: str
) -> AsyncIterator[trio.abc.Stream]:
    context = ssl.create_default_context(cafile=certificate[0])
    if protocols:
        context.set_alpn_protocols(list(protocols))
    plain = await trio.open_tcp_stream("127.0.0.1", server.port)
    stream = trio.SSLStream(plain, context, server_hostname="localhost", https_compatible=True)
    try:
        with trio.fail_after(5):
            await stream.do_handshake()
        yield stream
    finally:
        await trio.aclose_forcefully(stream)


@contextlib.asynccontextmanager
async def http2(server: RunningFront, certificate: Certificate) -> AsyncIterator[Http2Peer]:
    async with secure(server, certificate, "h2", "http/1.1") as stream:
        assert isinstance(stream, trio.SSLStream)
        assert stream.selected_alpn_protocol() == "h2"
        peer = Http2Peer(stream)
        await peer.start()
        yield peer


@contextlib.asynccontextmanager
async def plain_http2(server: RunningFront, *, is_strict: bool = True) -> AsyncIterator[Http2Peer]:
    """Without TLS. is_strict: h2 checks what the test sends."""
    peer = Http2Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
    peer.http.config.validate_outbound_headers = is_strict
    try:
        await peer.start()
        yield peer
    finally:
        await peer.aclose()
