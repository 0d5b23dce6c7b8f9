"""Quart-Trio on Hypercorn as their documentation has it: a channel per socket. Usage: stock PORT"""

import sys
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import request, websocket
from quart_trio import QuartTrio

app = QuartTrio(__name__)
members: set[trio.MemorySendChannel[str | bytes]] = set()


@app.websocket("/sub")
async def subscribe() -> None:
    sender, receiver = trio.open_memory_channel[str | bytes](1000)
    members.add(sender)
    try:
        await websocket.accept()
        async for message in receiver:
            await websocket.send(message)
    finally:
        members.discard(sender)


@app.websocket("/pub")
async def publish() -> None:
    while True:
        message = await websocket.receive()
        for member in list(members):
            member.send_nowait(message)


@app.post("/rpc")
async def rpc() -> dict[str, Any]:
    call = await request.get_json()
    return {"jsonrpc": "2.0", "id": call["id"], "result": {"status": "OK"}}


async def main(port: str) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.backlog = 1024
    await serve(app, config)


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
