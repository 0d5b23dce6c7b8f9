"""The clients of the benchmark: python -m benchmarks.live.load PORT COUNT PER_SECOND OBSERVERS

Signs COUNT people in for the first time at a steady pace, and watches each registration with OBSERVERS sockets. Prints
{"running"} once all run, and at the end the figures, as JSON.
"""

import asyncio
import base64
import json
import os
import statistics
import sys
import time
from urllib.parse import urlsplit

Figures = dict[str, float]


class Load:
    """What the clients have seen. Times in seconds."""

    def __init__(self, port: int, count: int, per_second: float, observers: int) -> None:
        self._port = port
        self._count = count
        self._per_second = per_second
        self._observers = observers
        self._prefix = os.urandom(4).hex()
        self.sign_in: list[float] = []
        self.first: list[float] = []  # from asking for the socket to its first event
        self.delivery: list[float] = []  # from the source's writing a line to the observer's having it
        self.whole = 0  # observers that saw everything to the token
        self._begun = 0

    async def run(self) -> Figures:
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                await asyncio.sleep(started + number / self._per_second - time.monotonic())
                group.create_task(self._person(number, group))
        return self._figures()

    async def _person(self, number: int, group: asyncio.TaskGroup) -> None:
        location = await self._sign_in(f"{self._prefix}{number}")
        for _ in range(self._observers):
            group.create_task(self._observe(location))
        self._begun += 1
        if self._begun == self._count:
            say({"running": self._count})

    async def _sign_in(self, username: str) -> str:
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps({"username": username, "password": "right"}).encode()
        writer.write(
            b"POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        answer = await reader.read()
        writer.close()
        assert b" 303 " in answer.partition(b"\r\n")[0], answer[:200]
        self.sign_in.append(time.monotonic() - started)
        return str(json.loads(answer.partition(b"\r\n\r\n")[2])["location"])

    async def _observe(self, location: str) -> None:
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=4096)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET {urlsplit(location).path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\n"
            f"connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        first = True
        while (event := await read_event(reader, writer)) is not None:
            now = time.monotonic()
            if first:
                self.first.append(now - started)
            elif event["eventType"] == "INFORMATION":  # the first waited for the observer, not on its way
                self.delivery.append(now - float(event["message"]))
            self.whole += event["eventType"] == "AUTHENTICATION"
            first = False
        writer.close()

    def _figures(self) -> Figures:
        return {
            "whole": self.whole,
            "sign_in_ms": median_ms(self.sign_in),
            "first_ms": median_ms(self.first),
            "first_p99_ms": p99_ms(self.first),
            "delivery_ms": median_ms(self.delivery),
            "delivery_p99_ms": p99_ms(self.delivery),
        }


async def read_event(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, str] | None:
    """The next event; None at the close. Pings are answered."""
    while True:
        opcode, length = await reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2))
        payload = await reader.readexactly(length)
        if opcode == 0x89:
            writer.write(b"\x8a\x80\0\0\0\0")
        elif opcode == 0x88:
            writer.write(b"\x88\x82\0\0\0\0" + payload[:2])
            return None
        else:
            event: dict[str, str] = json.loads(payload)
            return event


def median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def p99_ms(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


def say(fields: Figures | dict[str, int]) -> None:
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    port, count, per_second, observers = sys.argv[1:]
    say(asyncio.run(Load(int(port), int(count), float(per_second), int(observers)).run()))
