"""The access log: one line per request, in the format of the other lines, but without the logging module.

Making and formatting a LogRecord takes more time than a short request. No field of these lines can be a secret: the
route's pattern replaces the path.
"""

import contextlib
import threading
import time
from typing import TextIO

import msgspec
import trio

from regserver.log.line import request_id, utc_millis

ACCESS = "regserver.access"
FLUSH_SECONDS = 0.1
MAX_WAITING = 1000

_Served = tuple[float, str, str, str, int, float, str]
"""A request whose line is not written yet: time, method, pattern, client, status, seconds, id."""


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
    line = {
        "at": utc_millis(at),
        "level": "info",
        "logger": ACCESS,
        "message": f"{method[:10]} {pattern}",
        "client": client,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "request": identity,
    }
    return _encode_line(line).decode() + "\n"


def _text_line(served: _Served) -> str:
    at, method, pattern, client, status, seconds, identity = served
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    fields = f"client={client} status={status} ms={round(seconds * 1000, 1)} request={identity}"
    return f"{clock} info    {method[:10]} {pattern} {fields}\n"
