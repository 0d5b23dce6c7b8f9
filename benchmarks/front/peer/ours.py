"""Our front door: /sub and /pub as sessions, /rpc hot. Usage: ours PORT [CERT KEY]"""

import signal
import sys

import msgspec
import trio
from quart_trio import QuartTrio

from regserver.app.collector import run_collector
from regserver.endpoint import Request, Response, Session
from regserver.serving import Front, FrontLimits, binary_frame

SLICE = 500  # sends between two checkpoints: about 3 ms

members: dict[Session, None] = {}


async def subscribe(session: Session) -> None:
    members[session] = None
    session.accept_nowait()
    try:
        await session.wait_closed()
    finally:
        del members[session]


async def publish(session: Session) -> None:
    session.accept_nowait()
    while True:
        message = await session.receive()
        frame = binary_frame(message if isinstance(message, bytes) else message.encode())
        for number, member in enumerate(list(members), 1):
            member.send_nowait(frame)
            if number % SLICE == 0:
                await trio.lowlevel.checkpoint()


class Call(msgspec.Struct):
    id: int
    method: str
    jsonrpc: str


_decoder = msgspec.json.Decoder(Call)


async def dispatch(request: Request) -> Response:
    call = _decoder.decode(request.body)
    return Response(body=msgspec.json.encode({"jsonrpc": "2.0", "id": call.id, "result": {"status": "OK"}}))


async def main(*arguments: str) -> None:
    port, cert, key = (*arguments, "", "")[:3]
    front = Front(
        app=QuartTrio(__name__),
        dispatch=dispatch,
        is_hot=lambda _, path: path == "/rpc",
        socket={"/sub": subscribe, "/pub": publish}.get,
        limits=FrontLimits(grace_seconds=2),
    )
    shutdown = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_on_signal, shutdown)
        nursery.start_soon(run_collector)
        await front.serve([f"127.0.0.1:{port}"], tls_cert=cert, tls_key=key, shutdown=shutdown)
        nursery.cancel_scope.cancel()


async def _stop_on_signal(shutdown: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            shutdown.set()


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
