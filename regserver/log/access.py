"""The access log: one line per request, in the format of the other lines, but without the logging module.

Making and formatting a LogRecord takes more time than a short request. No field of these lines can be a secret: the
route's pattern replaces the path.
"""

import threading
import time
from collections.abc import Callable, Sequence

import msgspec
import trio
from msgspec import UNSET, UnsetType

from regserver.domain.trace import RequestTrace, current_trace
from regserver.log.line import request_id, to_json, utc_millis, visible, visible_json

ACCESS = "regserver.access"
FLUSH_SECONDS = 0.1
MAX_WAITING = 1000

_Served = tuple[float, str, str, str, int, float, str, RequestTrace | None]
"""A request whose line is not written yet: time, method, pattern, client, status, seconds, id, trace."""


class _Line(msgspec.Struct, frozen=True, tag_field="logger", tag=ACCESS):
    """A line in JSON."""

    at: str
    message: str
    client: str
    status: int
    ms: float
    request: str
    level: str = "info"
    trace: str | UnsetType = UNSET


class AccessLog:
    """Makes lines in batches: every FLUSH_SECONDS, and before each line of the logging module, to keep their order.

    put: takes lines from several threads, and does not block. text: for a terminal; else JSON.
    """

    def __init__(self, put: Callable[[Sequence[str]], None], *, text: bool) -> None:
        self._put = put
        self._line = _text_line if text else _json_line
        self._waiting: list[_Served] = []
        self.is_on = True
        self._flushing = threading.RLock()  # a finalizer that logs may run inside

    def record(self, method: str, pattern: str, client: str, status: int, seconds: float) -> None:
        """Adds one answered request. client: its address. seconds: from the request's last byte to its answer."""
        if not self.is_on:
            return
        self._waiting.append(
            (time.time(), method, pattern, client, status, seconds, request_id.get(), current_trace.get())
        )
        if len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Hands all waiting lines over."""
        with self._flushing:  # other threads log as well, and flush before their lines
            waiting = self._waiting[:]
            del self._waiting[: len(waiting)]  # not clear(): another thread may have appended since the copy
            if waiting:
                self._put([*map(self._line, waiting)])

    async def run_flush(self) -> None:
        """Flushes until cancelled, then once more."""
        try:
            while True:
                await trio.sleep(FLUSH_SECONDS)
                self.flush()
        finally:
            self.flush()


def _json_line(served: _Served) -> str:
    at, method, pattern, client, status, seconds, identity, trace = served
    line = _Line(
        utc_millis(at),
        f"{method[:10]} {pattern}",
        client,
        status,
        int(seconds * 10_000 + 0.5) / 10,  # as round(…, 1), which takes twice as long
        identity,
        trace=UNSET if trace is None else trace.trace,
    )
    text = to_json(line)
    # All other fields are the server's own. To look at the whole line would take as long as to make it.
    is_visible = method.isprintable() and client.isprintable()
    return f"{text if is_visible else visible_json(text)}\n"


def _text_line(served: _Served) -> str:
    at, method, pattern, client, status, seconds, identity, trace = served
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    fields = f"client={client} status={status} ms={round(seconds * 1000, 1)} request={identity}{f' trace={trace.trace}' if trace else ''}"
    return visible(f"{clock} info    {method[:10]} {pattern} {fields}") + "\n"
