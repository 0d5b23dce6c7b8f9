"""regserver's front door: /sub and /pub as sessions, /rpc as a request. Usage: ours PORT [CERT KEY]"""

import signal
import sys

import msgspec
import trio

from benchmarks.fan_out import FanOut
from regserver.app import run_collector
from regserver.broker.delivery_queue import SLICE
from regserver.endpoint import Request, Response, SocketSession
from regserver.serving import Front, FrontLimits, binary_frame

fan_out = FanOut(SLICE)


async def publish(session: SocketSession) -> None:
    session.accept_nowait()
    while True:
        message = await session.receive()
        fan_out.publish_nowait(binary_frame(message if isinstance(message, bytes) else message.encode()))


class Call(msgspec.Struct):
    id: int
    method: str
    jsonrpc: str


_decoder = msgspec.json.Decoder(Call)


async def dispatch(request: Request) -> Response:
    if request.path != "/rpc":
        return Response(status=404)
    call = _decoder.decode(request.body)
    return Response(body=msgspec.json.encode({"jsonrpc": "2.0", "id": call.id, "result": {"status": "OK"}}))


async def main(*arguments: str) -> None:
    port, cert, key = (*arguments, "", "")[:3]
    limits = FrontLimits(grace_seconds=2)
    front = Front(
        dispatch=dispatch,
        socket={"/sub": fan_out.subscribe, "/pub": publish}.get,
        limits=limits,
    )
    shutdown = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_on_signal, shutdown)
        nursery.start_soon(run_collector)
        nursery.start_soon(fan_out.pump)
        await front.serve([f"127.0.0.1:{port}"], tls_cert=cert, tls_key=key, shutdown=shutdown)
        nursery.cancel_scope.cancel()


async def _stop_on_signal(shutdown: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            shutdown.set()


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
