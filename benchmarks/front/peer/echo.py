"""regserver's front door as an echo server, with room for large messages. Usage: echo PORT"""

import sys

import trio

from regserver.endpoint import Request, Response, SocketSession
from regserver.serving import Front, FrontLimits, binary_frame, text_frame

LIMITS = FrontLimits(
    message_bytes=16 << 20,
    queue_bytes=64 << 20,
    close_seconds=1,
    ping_seconds=3600,  # a client that sends half a frame by hand would put its pong into the other half
)


async def echo(session: SocketSession) -> None:
    session.accept_nowait()
    while True:
        message = await session.receive()
        session.send_nowait(text_frame(message) if isinstance(message, str) else binary_frame(message))


async def nothing(request: Request) -> Response:
    return Response()


async def main(port: str) -> None:
    front = Front(
        dispatch=nothing,
        socket=lambda _: echo,
        limits=LIMITS,
    )
    await front.serve([f"127.0.0.1:{port}"], shutdown=trio.Event())


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
