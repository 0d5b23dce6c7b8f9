"""A request knows when its client has closed its side, whatever the client has sent besides."""

import trio

from regserver.endpoint import Request, Response
from tests.serving.http2 import Certificate, secure
from tests.serving.support import open_front

REQUEST = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Slow:
    """An endpoint that waits until its client is gone."""

    def __init__(self) -> None:
        self.asked = trio.Event()
        self.before: list[bool] = []
        self.left = trio.Event()

    async def __call__(self, request: Request) -> Response:
        self.before.append(request.gone())
        self.asked.set()
        while not request.gone():  # noqa: ASYNC110  (the kernel tells nobody)
            await trio.sleep(0.005)
        self.left.set()
        return Response()


async def test_over_a_plain_connection() -> None:
    slow = Slow()
    async with open_front(dispatch=slow) as server:
        async with server.peer() as peer:
            await peer.send(REQUEST + REQUEST[:10])
            await slow.asked.wait()
            assert not slow.left.is_set()
        with trio.fail_after(10):
            await slow.left.wait()
    assert slow.before == [False]


async def test_over_tls(certificate: Certificate) -> None:
    slow = Slow()
    async with open_front(dispatch=slow, tls_cert=certificate[0], tls_key=certificate[1]) as server:
        async with secure(server, certificate, "http/1.1") as stream:
            await stream.send_all(REQUEST)
            await slow.asked.wait()
        with trio.fail_after(10):
            await slow.left.wait()
    assert slow.before == [False]
