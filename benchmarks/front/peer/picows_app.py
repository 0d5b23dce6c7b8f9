"""picows, which is asyncio with a WebSocket layer in Cython. Usage: picows_app PORT"""

import asyncio
import sys

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

members: set[WSTransport] = set()


class Subscriber(WSListener):
    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        members.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        members.discard(transport)


class Publisher(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        message = frame.get_payload_as_bytes()
        for member in members:
            member.send(WSMsgType.BINARY, message)


def choose(request: WSUpgradeRequest) -> WSListener:
    return Publisher() if request.path == b"/pub" else Subscriber()


async def main(port: int) -> None:
    server = await ws_create_server(choose, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
