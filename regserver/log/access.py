"""The access log: one line per request, in the format of the other lines, but without the logging module.

Making and formatting a LogRecord takes more time than a short request. No field of these lines can be a secret: the
route's pattern replaces the path.
"""

import contextlib
import functools
import threading
import time
from typing import TextIO

import msgspec
import trio

from regserver.log.line import request_id

ACCESS = "regserver.access"
FLUSH_SECONDS = 0.1
MAX_WAITING = 1000

_Served = tuple[float, str, str, str, int, float, str]
"""A request whose line is not written yet: time, method, pattern, client, status, seconds, id."""


class _AccessLine(msgspec.Struct, frozen=True):
    at: str
    level: str
    logger: str
    message: str
    client: str
    status: int
    ms: float
    request: str


_encode_line = msgspec.json.Encoder().encode


class AccessLog:
    """Writes lines in batches: every FLUSH_SECONDS, and before each line of the logging module, to keep their order.

    stream: several threads write to it. text: for a terminal; else JSON.
    """

    def __init__(self, stream: TextIO, *, text: bool) -> None:
        self._stream = stream
        self._line = _text_line if text else _json_line
        self._waiting: list[_Served] = []
        self._flushing = threading.Lock()

    def record(self, method: str, pattern: str, client: str, status: int, seconds: float) -> None:
        """Adds one answered request. client: its address. seconds: from the request's last byte to its answer."""
        self._waiting.append((time.time(), method, pattern, client, status, seconds, request_id.get()))
        if len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Writes all waiting lines."""
        with self._flushing:  # other threads log as well, and flush before their lines
            waiting = self._waiting[:]
            del self._waiting[: len(waiting)]  # not clear(): another thread may have appended since the copy
            if not waiting:
                return
            with contextlib.suppress(OSError):  # a log without a reader must not end the server
                self._stream.write("".join(map(self._line, waiting)))
                self._stream.flush()

    async def run_flush(self) -> None:
        """Writes until cancelled, then writes the rest."""
        try:
            while True:
                await trio.sleep(FLUSH_SECONDS)
                self.flush()
        finally:
            self.flush()


def _json_line(served: _Served) -> str:
    at, method, pattern, client, status, seconds, identity = served
    line = _AccessLine(
        f"{_utc(int(at))}.{int(at * 1000) % 1000:03d}Z",
        "info",
        ACCESS,
        f"{method[:10]} {pattern}",
        client,
        status,
        round(seconds * 1000, 1),
        identity,
    )
    return _encode_line(line).decode() + "\n"


def _text_line(served: _Served) -> str:
    at, method, pattern, client, status, seconds, identity = served
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    fields = f"client={client} status={status} ms={round(seconds * 1000, 1)} request={identity}"
    return f"{clock} info    {method[:10]} {pattern} {fields}\n"


@functools.lru_cache(maxsize=4)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
