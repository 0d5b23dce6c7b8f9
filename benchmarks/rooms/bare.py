"""The front door's bare fan-out behind the same two paths: no store, no accounts, no rooms. Usage: bare serve --set …

What the product path is held against: the same client, the same requests, frames of the same size.
"""

import json
import sys

import trio

from benchmarks.fan_out import FanOut
from regserver.app import run_collector
from regserver.broker.delivery_queue import SLICE
from regserver.endpoint import Request, Response
from regserver.serving import Front, text_frame

fan_out = FanOut(SLICE)


async def publish(request: Request) -> Response:
    notification = {
        "type": "NewPost",
        "userId": 1,
        "roomId": 1,
        "postId": 100_000,
        "content": json.loads(request.body)["content"],
        "createdAt": "2017-07-21T17:32:28Z",
    }
    fan_out.publish_nowait(text_frame(json.dumps(notification, separators=(",", ":"))))
    return Response(body=b'{"postId":100000}')


async def main(bind: str) -> None:
    async with trio.open_nursery() as nursery:
        front = Front(
            dispatch=publish,
            socket={"/room/websocket": fan_out.subscribe}.get,
        )
        nursery.start_soon(run_collector)
        nursery.start_soon(fan_out.pump)
        await front.serve([bind], tls_cert="", tls_key="", shutdown=trio.Event())


if __name__ == "__main__":
    trio.run(main, next(word.partition("=")[2] for word in sys.argv if word.startswith("server.bind=")))
