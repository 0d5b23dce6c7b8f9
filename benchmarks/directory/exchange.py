"""One request and its answer on a kept-alive connection, with little work for the client."""

import re

import trio

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


async def exchange(stream: trio.SocketStream, request: bytes, status: int = 200) -> bytes:
    """The whole answer, which must have this status."""
    await stream.send_all(request)
    answer = b""
    while True:
        chunk = await stream.receive_some(65536)
        assert chunk, "the server hung up"
        answer += chunk
        head, found, body = answer.partition(b"\r\n\r\n")
        if found:
            length = _LENGTH.search(head + b"\r\n")
            assert length is not None, head
            if len(body) == int(length[1]):
                assert answer.startswith(b"HTTP/1.1 %d" % status), answer
                return answer
