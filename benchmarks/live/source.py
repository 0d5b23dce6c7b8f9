"""The operator's service in the benchmark: python -m benchmarks.live.source PORT SECONDS STEPS

Everybody is known. A profile takes SECONDS, in STEPS steps; each line's message is the moment at which it was
written, by the clock that all processes of a machine share, so that an observer can tell how long it was on its way.
"""

import asyncio
import contextlib
import json
import sys
import time

CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(**fields: object) -> bytes:
    line = json.dumps(fields).encode() + b"\n"
    return b"%x\r\n%b\r\n" % (len(line), line)


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, steps: int
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            if head.startswith(b"post /verify"):
                answer = json.dumps({"subject": body["username"]}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
            else:
                await tell(writer, seconds, steps)
    writer.close()


async def tell(writer: asyncio.StreamWriter, seconds: float, steps: int) -> None:
    writer.write(CHUNKED)
    started = time.monotonic()
    for step in range(1, steps + 1):
        writer.write(chunk(step=step, totalSteps=steps, message=str(time.monotonic())))
        await asyncio.sleep(started + seconds * step / steps - time.monotonic())
    writer.write(chunk(name={"firstName": "Ada", "middleName": "King", "lastName": "Lovelace"}))
    writer.write(chunk(done=True) + b"0\r\n\r\n")


async def main(port: int, seconds: float, steps: int) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, seconds, steps), "127.0.0.1", port, backlog=4096
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
