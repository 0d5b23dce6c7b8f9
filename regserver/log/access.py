"""The access log: one line per request, in the form of the other lines but past the logging module.

A LogRecord and its formatting cost a short request more than everything else. No field of these lines can be a secret:
the route's pattern stands for the path.
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
    """Lines are written together: every FLUSH_SECONDS, and before each line of another kind, so that all keep their order.

    stream: may be written to from several threads. text: for a terminal; else JSON.
    """

    def __init__(self, stream: TextIO, *, text: bool) -> None:
        self._stream = stream
        self._line = _text_line if text else _json_line
        self._waiting: list[_Served] = []
        self._flushing = threading.Lock()

    def record(self, method: str, pattern: str, client: str, status: int, seconds: float) -> None:
        """Takes one answered request. client: its address. seconds: from its last byte to its answer."""
        self._waiting.append((time.time(), method, pattern, client, status, seconds, request_id.get()))
        if len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Writes all lines that wait."""
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
