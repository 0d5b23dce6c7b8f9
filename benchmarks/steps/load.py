"""The client of the measurement: a number of connections with one call at a time each, on uvloop.

Prints one JSON object: what was done per second, and the latency of single calls. Every answer is looked at; one that
is not what the protocol says ends the measurement. Usage: load MODE PORT CODE_PORT CONNECTIONS SECONDS
"""

import asyncio
import itertools
import json
import re
import sys
import time

import uvloop

KEY = "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
CODE = re.compile(r"\b\d{6}\b")


class Post(asyncio.DatagramProtocol):
    """The codes that have arrived, by phone."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[str]] = {}

    def expect(self, phone: str) -> asyncio.Future[str]:
        self.waiting[phone] = asyncio.get_running_loop().create_future()
        return self.waiting[phone]

    def datagram_received(self, data: bytes, address: object) -> None:
        phone, _, text = data.decode().partition(" ")
        found = CODE.search(text)
        if found is not None and (future := self.waiting.pop(phone, None)) is not None:
            future.set_result(found.group())


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.latencies: list[float] = []

    async def call(self, method: str, **params: str) -> dict[str, str]:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        head = f"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        started = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: (\d+)", answer)
        assert found is not None
        reply = json.loads(await self._reader.readexactly(int(found[1])))
        self.latencies.append(time.perf_counter() - started)
        assert "error" not in reply, reply
        result: dict[str, str] = reply["result"]
        return result


class Load:
    def __init__(self, post: Post, seconds: float) -> None:
        self._post = post
        self._numbers = itertools.count(int(time.time() * 1000) % 10**9 * 1000)
        self._end = time.perf_counter() + seconds
        self.done = 0

    def _phone(self) -> str:
        return f"+3{next(self._numbers):013}"

    async def look(self, connection: Connection) -> None:
        """getState of contacts that nobody knows."""
        while time.perf_counter() < self._end:
            state = await connection.call("getState", phone=self._phone())
            assert state["currentState"] == "firstStep"
            self.done += 1

    async def register(self, connection: Connection) -> None:
        """The whole way of a phone, five calls."""
        while time.perf_counter() < self._end:
            phone = self._phone()
            username = f"user-{phone[1:]}"
            await connection.call("getState", phone=phone)
            code = self._post.expect(phone)
            await connection.call("firstStep", phone=phone)
            await connection.call("verify", phone=phone, code=await code)
            chosen = await connection.call("setUsername", phone=phone, username=username)
            keys = {"publicOwnerKey": KEY, "publicActiveKey": KEY}
            done = await connection.call(
                "toBlockChain", phone=phone, username=username, userId=chosen["userId"], **keys
            )
            assert done["currentState"] == "registered"
            self.done += 1


async def measure(mode: str, port: int, code_port: int, connections: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    _, post = await loop.create_datagram_endpoint(Post, local_addr=("127.0.0.1", code_port))
    opened = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(connections)]
    load = Load(post, seconds)
    started = time.perf_counter()
    await asyncio.gather(*(getattr(load, mode)(connection) for connection in opened))
    passed = time.perf_counter() - started
    latencies = sorted(latency for connection in opened for latency in connection.latencies)
    figures = {
        "per_second": load.done / passed,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
    }
    print(json.dumps(figures))


def main() -> None:
    mode, port, code_port, connections, seconds = sys.argv[1:]
    uvloop.run(measure(mode, int(port), int(code_port), int(connections), float(seconds)))


if __name__ == "__main__":
    main()
