"""asyncio websockets with its broadcast, which also builds a frame once. Usage: broadcast PORT"""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

members: set[ServerConnection] = set()


async def handle(connection: ServerConnection) -> None:
    if connection.request is not None and connection.request.path == "/pub":
        async for message in connection:
            broadcast(members, message)
        return
    members.add(connection)
    try:
        await connection.wait_closed()
    finally:
        members.discard(connection)


async def main(port: int) -> None:
    # Without pings, which it sends to all at once: they would fall into the bursts of the others.
    async with serve(handle, "127.0.0.1", port, compression=None, ping_interval=None, backlog=1024):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
