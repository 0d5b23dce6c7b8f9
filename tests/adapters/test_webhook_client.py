"""Requests to receivers: bounded, not led elsewhere, and never to a private address in whatever spelling."""

import socket
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import trio

from regserver.adapters.guarded_network import CheckedBackend
from regserver.adapters.webhook_client import (
    LONGEST_RETRY_AFTER,
    MAX_ANSWER_BYTES,
    WebhookClient,
)
from regserver.domain.instant import SECOND, Duration
from regserver.ports.webhook_sender import WebhookAnswer, WebhookFault
from tests.peer.http import DROP, HANG, Answer, HttpPeer, open_http_peer, refused_url

FIELDS = (("webhook-id", "msg_1"), ("content-type", "application/json"))


async def send(
    url: str, *, allow_private: bool = True, limit: int = 5 * SECOND, tls: ssl.SSLContext | None = None
) -> WebhookAnswer:
    async with WebhookClient(allow_private=allow_private, timeout=Duration(limit), tls=tls) as client:
        return await client.send(url, FIELDS, b'{"a":1}')


async def test_a_message_arrives_as_it_is() -> None:
    async with open_http_peer(lambda asked: Answer(204)) as peer:
        assert await send(f"{peer.url}/hooks?key=1") == WebhookAnswer(204)
    (asked,) = peer.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/hooks?key=1", b'{"a":1}')
    assert asked.headers["webhook-id"] == "msg_1"
    assert asked.headers["host"] == peer.url.removeprefix("http://")


async def test_redirects_are_answers() -> None:
    async with open_http_peer(lambda asked: Answer(500)) as other:
        moved = Answer(307, headers=(("location", other.url),))
        async with open_http_peer(lambda asked: moved) as peer:
            assert (await send(peer.url)).status == 307
        assert other.asked == []


@pytest.mark.parametrize(
    ("said", "taken"), [("30", 30), ("999999", LONGEST_RETRY_AFTER), ("soon", 0), ("9" * 99, 0)]
)
async def test_a_receiver_may_ask_for_a_pause(said: str, taken: int) -> None:
    reply = Answer(429, headers=(("retry-after", said),))
    async with open_http_peer(lambda asked: reply) as peer:
        assert (await send(peer.url)).retry_after == taken


async def test_a_long_answer_is_cut() -> None:
    async with open_http_peer(lambda asked: Answer(200, bytes(MAX_ANSWER_BYTES + 5))) as peer:
        assert len((await send(peer.url)).body) == MAX_ANSWER_BYTES


async def test_an_endless_answer_is_left(nursery: trio.Nursery) -> None:
    async def pour(stream: trio.SocketStream) -> None:
        await stream.receive_some(65536)
        await stream.send_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                await stream.send_all(b"1000\r\n" + bytes(4096) + b"\r\n")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    listeners = await nursery.start(partial(trio.serve_tcp, pour, 0, host="127.0.0.1"))
    port = listeners[0].socket.getsockname()[1]
    assert len((await send(f"http://127.0.0.1:{port}")).body) == MAX_ANSWER_BYTES
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("reply", [DROP, HANG])
async def test_no_answer_is_a_fault(reply: Answer) -> None:
    async with open_http_peer(lambda asked: reply) as peer:
        with pytest.raises(WebhookFault, match=r"no answer in 0\.2 s|the connection broke: \w+"):
            await send(f"{peer.url}/secret", limit=SECOND // 5)


async def test_nobody_there_is_a_fault() -> None:
    with pytest.raises(WebhookFault, match="cannot be reached"):
        await send(await refused_url())
    with pytest.raises(WebhookFault, match="the name is not known"):
        await send("http://no-such-host.invalid")


SPELLINGS = (
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "0177.0.0.1",
    "0x7f.1",
    "0",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
)
ELSEWHERE = (
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:a9fe:a9fe]",
    "[fe80::1]",
)


@pytest.mark.parametrize("host", SPELLINGS)
async def test_the_machine_itself_is_refused_in_every_spelling(host: str) -> None:
    async with open_http_peer(lambda asked: Answer()) as peer:
        port = peer.url.rpartition(":")[2]
        with pytest.raises(WebhookFault, match="is no public address"):
            await send(f"http://{host}:{port}", allow_private=False)
        assert peer.asked == []


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_the_cloud_s_own_service_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(WebhookFault, match="is no public address"):
        await send(f"http://{host}/latest/meta-data", allow_private=False)


class Names(trio.abc.HostnameResolver):
    """A name server that says something else each time."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers: Iterator[tuple[str, ...]] = iter(answers)
        self.asked = 0

    async def getaddrinfo(self, host: Any, port: Any, *more: Any, **named: Any) -> Any:
        self.asked += 1
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(self._answers)
        ]

    async def getnameinfo(self, *_: Any) -> Any:
        raise NotImplementedError


async def with_names(resolver: Names, work: Any) -> None:
    before = trio.socket.set_custom_hostname_resolver(resolver)
    try:
        await work
    finally:
        trio.socket.set_custom_hostname_resolver(before)


@pytest.mark.parametrize("answer", [("127.0.0.1",), ("8.8.8.8", "169.254.169.254"), ("10.0.0.1", "8.8.8.8")])
async def test_a_name_with_a_private_address_is_refused(answer: tuple[str, ...]) -> None:
    resolver = Names(answer)
    with pytest.raises(WebhookFault, match="is no public address"):
        await with_names(resolver, send("http://rebinds.example", allow_private=False))
    assert resolver.asked == 1


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second answer of the name server, after the check, is asked for by nobody."""
    reached: list[str] = []

    async def connect(_: Any, host: str, *more: Any) -> Any:
        reached.append(host)
        raise OSError("this test opens no connection to the Internet")

    monkeypatch.setattr("httpcore.TrioBackend.connect_tcp", connect)
    resolver = Names(("8.8.8.8",), ("127.0.0.1",))
    with pytest.raises(WebhookFault):
        await with_names(resolver, send("http://rebinds.example", allow_private=False))
    assert (reached, resolver.asked) == (["8.8.8.8"], 1)


async def test_the_next_address_is_tried() -> None:
    async with open_http_peer(lambda asked: Answer(200)) as peer:
        port = int(peer.url.rpartition(":")[2])
        backend = CheckedBackend(allow_private=True)

        async def connect() -> None:
            stream = await backend.connect_tcp("two.example", port, 5)
            await stream.aclose()

        await with_names(Names(("127.0.0.2", "127.0.0.1")), connect())


async def test_over_tls_the_name_is_checked(certificate: tuple[str, str], nursery: trio.Nursery) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    peer = HttpPeer(lambda asked: Answer(200, b"yes"))

    async def serve(stream: trio.SocketStream) -> None:
        secure = trio.SSLStream(stream, context, server_side=True)
        try:
            await peer.serve(secure)  # type: ignore[arg-type]  # all that it needs of a stream
        except (trio.BrokenResourceError, ssl.SSLError):
            return

    listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    port = listeners[0].socket.getsockname()[1]
    trusting = ssl.create_default_context(cafile=certificate[0])
    assert (await send(f"https://localhost:{port}", tls=trusting)).body == b"yes"
    with pytest.raises(WebhookFault, match="cannot be reached"):
        await send(f"https://127.0.0.1:{port}", tls=trusting)
    with pytest.raises(WebhookFault, match="cannot be reached"):
        await send(f"https://localhost:{port}")
    nursery.cancel_scope.cancel()
