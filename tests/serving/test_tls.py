"""TLS, HTTP/2 and sessions over both."""

import ssl
import struct

import h2.events
import pytest
import trio
import trio.testing

from regserver.endpoint import Request, Response, SocketSession
from regserver.serving import BindError, text_frame
from regserver.serving.listener import load_tls
from tests.serving.http2 import Certificate, Http2Peer, http2, secure
from tests.serving.support import Peer, bounds, client_frame, close_payload, open_front, upgrade


async def test_http1_over_tls(certificate: Certificate) -> None:
    async with open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server:
        assert server.urls == [f"https://127.0.0.1:{server.port}"]
        async with secure(server, certificate, "http/1.1") as stream:
            peer = Peer(stream)
            for path in (b"/a", b"/b", b"/c"):
                status, _, body = await peer.ask(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                assert status == 200
                assert b"'https'" in body
            assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\n2\r\n\r\n"))[0] == 400
            assert await peer.ended()


async def test_session_over_tls(certificate: Certificate) -> None:
    async with open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server:
        async with secure(server, certificate) as stream:
            peer = Peer(stream)
            assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
            await peer.send(upgrade("/echo") + client_frame(b"early"))
            assert b"101" in await peer.read_head()
            assert await peer.frame() == (1, b"early")
            for size in (10, 60_000):
                await peer.send(client_frame(b"x" * size))
                assert await peer.frame() == (1, b"x" * size)
            await peer.send(close_payload(1000))
            assert await peer.close_code() == 1000
            assert await peer.ended()
        await server.settled()
        assert server.counts.closed == {1000: 1}


async def test_slow_reader_over_tls(certificate: Certificate) -> None:
    async def pour(session: SocketSession) -> None:
        session.accept_nowait()
        while session.send_nowait(text_frame(b"x" * 10_000)):
            await trio.lowlevel.checkpoint()
        await session.wait_closed()

    limits = bounds(queue_bytes=100_000, close_seconds=0.2)
    async with open_front(
        limits, sockets={"/pour": pour}, tls_cert=certificate[0], tls_key=certificate[1]
    ) as server:
        async with secure(server, certificate) as stream:
            await Peer(stream).upgrade("/pour")
            await server.settled()
        assert server.counts.closed == {1013: 1}


@pytest.mark.parametrize(
    "raw", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x16\x03", b""]
)
async def test_what_is_no_tls(certificate: Certificate, raw: bytes) -> None:
    limits = bounds(tls_seconds=0.1)
    async with open_front(limits, tls_cert=certificate[0], tls_key=certificate[1]) as server:
        async with server.peer() as peer:
            await peer.send(raw)
            assert await peer.ended()
        await server.settled()
        assert server.counts.errors == 0
        async with secure(server, certificate) as stream:
            assert (await Peer(stream).ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def test_http2_requests(certificate: Certificate) -> None:
    async with (
        open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server,
        http2(server, certificate) as peer,
    ):
        status, fields, body = await peer.ask_http2("GET", "/any%20thing?201")
        assert status == 201
        assert b"'/any thing', '201'" in body
        assert b"'https'" in body
        assert set(fields) == {":status", "x-extra", "content-type", "content-length", "date"}
        assert b"b'abc'" in (await peer.ask_http2("POST", "/a", b"abc"))[2]
        status, _, body = await peer.ask_http2("POST", "/a", b"x" * 16384)
        assert status == 200


async def test_http2_without_tls() -> None:
    async with open_front() as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        peer = Http2Peer(stream)
        await peer.start()
        assert (await peer.ask_http2("GET", "/a"))[0] == 200
        await peer.aclose()
        await server.settled()


async def test_session_over_http2(certificate: Certificate) -> None:
    async with (
        open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server,
        http2(server, certificate) as peer,
    ):
        sock = await peer.connect("/echo", ("sec-websocket-extensions", "permessage-deflate"))
        status, fields = await sock.status()
        assert status == 200
        assert "sec-websocket-extensions" not in fields
        for opcode, payload in ((1, b"hello"), (2, b"\xff\0"), (1, b""), (2, b""), (1, b"x" * 16_000)):
            await sock.send(client_frame(payload, opcode))
            frame = await sock.frame()
            assert frame == (opcode, payload)
        await sock.send(close_payload(1000))
        assert await sock.close_code() == 1000
        assert (await peer.ask_http2("GET", "/a"))[0] == 200  # the connection goes on
        with trio.fail_after(5):
            while server.counts.sessions:
                await trio.testing.wait_all_tasks_blocked(0.005)


async def test_rejected_session_over_http2(certificate: Certificate) -> None:
    async def reject(session: SocketSession) -> None:
        session.reject_nowait(Response(status=403, body=b"no"))

    async with (
        open_front(sockets={"/no": reject}, tls_cert=certificate[0], tls_key=certificate[1]) as server,
        http2(server, certificate) as peer,
    ):
        sock = await peer.connect("/no")
        assert (await sock.status())[0] == 403
        assert server.counts.sessions == 0


async def test_shutdown_over_http2(certificate: Certificate) -> None:
    async with trio.open_nursery() as nursery:
        codes = []

        async def listen() -> None:
            codes.append(await sock.close_code())
            await sock.send(struct.pack("!BBI", 0x88, 0x82, 0) + (1001).to_bytes(2, "big"))

        async with open_front(
            bounds(grace_seconds=3), tls_cert=certificate[0], tls_key=certificate[1]
        ) as server:
            context = ssl.create_default_context(cafile=certificate[0])
            context.set_alpn_protocols(["h2"])
            plain = await trio.open_tcp_stream("127.0.0.1", server.port)
            peer = Http2Peer(
                trio.SSLStream(plain, context, server_hostname="localhost", https_compatible=True)
            )
            await peer.start()
            sock = await peer.connect("/listen")
            assert (await sock.status())[0] == 200
            nursery.start_soon(listen)
            started = trio.current_time()
        assert trio.current_time() - started < 4
    assert codes == [1001]
    await peer.aclose()


async def test_http2_body_longer_than_the_bound(certificate: Certificate) -> None:
    """The endpoint is told, and the client's other streams live on."""
    limits = bounds(body_bytes=10_000)
    async with (
        open_front(limits, tls_cert=certificate[0], tls_key=certificate[1]) as server,
        http2(server, certificate) as peer,
    ):
        status, _, body = await peer.ask_http2("POST", "/a", b"x" * 16_000)
        assert status == 413
        assert b"b'', True" in body
        assert (await peer.ask_http2("GET", "/a"))[0] == 200


async def test_http2_data_after_the_answer(certificate: Certificate) -> None:
    """A request that is refused before its body ends its stream, not the connection."""

    def refuse(request: Request) -> Response | None:
        return Response(status=429) if request.path == "/hasty" else None

    async with (
        open_front(admit=refuse, tls_cert=certificate[0], tls_key=certificate[1]) as server,
        http2(server, certificate) as peer,
    ):
        fields = [(":method", "POST"), (":path", "/hasty"), (":scheme", "https"), (":authority", "localhost")]
        number = await peer.open(fields, None)
        await peer.next_event(h2.events.StreamEnded)
        for _ in range(6):
            peer.http.send_data(number, b"x" * 10_000)
            await peer.flush()
        assert (await peer.ask_http2("GET", "/a"))[0] == 200
        assert server.counts.errors == 0


async def test_http2_connections_leave_nothing(certificate: Certificate) -> None:
    async with open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server:
        async with http2(server, certificate):
            pass
        async with http2(server, certificate) as peer:
            assert (await peer.ask_http2("GET", "/a"))[0] == 200
        async with http2(server, certificate) as peer:
            assert (await (await peer.connect("/listen")).status())[0] == 200
        await server.settled()
        assert server.counts.sessions == 0


async def test_http2_noise_ends_its_own_connection(certificate: Certificate) -> None:
    async with (
        open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server,
        http2(server, certificate) as peer,
        http2(server, certificate) as other,
    ):
        await peer.send(b"\0\0\4\0\0\0\0\0\1abcd" * 3)  # data for a stream that does not exist
        with pytest.raises(EOFError):
            await peer.next_event(h2.events.PingAckReceived)
        assert (await other.ask_http2("GET", "/a"))[0] == 200


async def test_unusable_certificate() -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(BindError, match=r"/nowhere\.pem: No such file")):
        async with open_front(tls_cert="/nowhere.pem"):
            raise AssertionError


@pytest.mark.parametrize(
    ("version", "ciphers", "taken"),
    [
        (ssl.TLSVersion.TLSv1_3, "DEFAULT", True),
        (ssl.TLSVersion.TLSv1_2, "DEFAULT", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE+CHACHA20", True),
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", False),
        (ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0", False),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", False),
        (ssl.TLSVersion.TLSv1_2, "aRSA+kRSA", False),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_versions_and_ciphers_without_authentication_are_refused(
    certificate: Certificate, version: ssl.TLSVersion, ciphers: str, taken: bool
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    async with open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        tls = trio.SSLStream(stream, context, server_hostname="localhost", https_compatible=True)
        if taken:
            await tls.do_handshake()
            assert tls.version() == version.name.replace("_", ".")
        else:
            with pytest.raises(trio.BrokenResourceError):
                await tls.do_handshake()
        await trio.aclose_forcefully(stream)


def test_nobody_renegotiates_or_compresses(certificate: Certificate) -> None:
    options = load_tls(*certificate).options
    assert options & ssl.OP_NO_RENEGOTIATION
    assert options & ssl.OP_NO_COMPRESSION
