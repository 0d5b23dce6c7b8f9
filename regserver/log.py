"""Logging: one line per happening, as text for people or JSON for machines, with every secret taken out on the way.

Redaction sits in the formatter, the last step before the line leaves the process, so no caller can forget it.
"""

import contextlib
import contextvars
import functools
import logging
import re
import sys
import threading
import time
from typing import Any, Literal, TextIO

import msgspec
import trio

from regserver.domain.secret import redact_secrets

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""The id of the request that this task serves; it stands in every line and in the X-Request-Id field."""

ACCESS = "regserver.access"

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}

_IN_URL = re.compile(r"(?i)\b(token|ticket|password|code|secret)=[^&\s\\\"'<>()]+")
_REGISTRATION = re.compile(r"\bu-[0-9a-f]{8}-[0-9a-f-]{27}\b")
_CHALLENGE = re.compile(r"/[A-Za-z0-9]{5,200}/confirm\b")
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{6,}")


def redact(text: str) -> str:
    """Takes tokens, tickets, challenges, registration ids and authorization out of a line."""
    text = _IN_URL.sub(r"\1=…", text)
    text = _REGISTRATION.sub("u-…", text)
    text = _CHALLENGE.sub("/…/confirm", text)
    return redact_secrets(_AUTHORIZATION.sub(r"\1 …", text))


class _Formatter(logging.Formatter):
    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if (identity := request_id.get()) and "request" not in fields:
            fields["request"] = identity
        return fields


class JsonFormatter(_Formatter):
    """One JSON object per line: at, level, logger, message, the record's own fields, and the traceback of a bug."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line: dict[str, Any] = {
            "at": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(msgspec.json.encode(line, enc_hook=str).decode())


class TextFormatter(_Formatter):
    """For a terminal: time, level, message, then the fields as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = "".join(f" {key}={value}" for key, value in self._fields(record).items())
        text = f"{at} {record.levelname.lower():7} {record.getMessage()}{fields}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return redact(text)


FLUSH_SECONDS = 0.1
MOST_WAITING = 1000

_Served = tuple[float, str, str, str, int, float, str]
"""A request as it is kept until its line is written: time, method, pattern, client, status, seconds, id."""


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
    """One line per request, in the form of the other lines but past the logging module, whose records cost a hot
    request more than everything else. Nothing in it can be a secret: the route's pattern stands for the path.

    Lines are written together, every FLUSH_SECONDS, and before any other line, so that all stand in their order.
    """

    def __init__(self, stream: TextIO, *, text: bool) -> None:
        self._stream = stream
        self._line = _text_line if text else _json_line
        self._waiting: list[_Served] = []
        self._flushing = threading.Lock()

    def record(self, method: str, pattern: str, client: str, status: int, seconds: float) -> None:
        self._waiting.append((time.time(), method, pattern, client, status, seconds, request_id.get()))
        if len(self._waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        with self._flushing:  # other threads log as well
            waiting = self._waiting[:]
            del self._waiting[: len(waiting)]  # and not all of it: more may have come since
            if not waiting:
                return
            with contextlib.suppress(OSError):  # nobody reads the log any more: that must not end the server
                self._stream.write("".join(map(self._line, waiting)))
                self._stream.flush()

    async def run_flush(self) -> None:
        """Writes until cancelled, and then what is left."""
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


class _Handler(logging.StreamHandler[TextIO]):
    """Writes the requests that came before a line before it."""

    def __init__(self, stream: TextIO, access: AccessLog) -> None:
        super().__init__(stream)
        self._access = access

    def emit(self, record: logging.LogRecord) -> None:
        self._access.flush()
        super().emit(record)


def start_logging(
    level: str, form: Literal["auto", "text", "json"], stream: TextIO | None = None
) -> AccessLog | None:
    """Sends everything of ours, and the warnings of the libraries, to `stream` (standard error).

    The access log goes there, too, if the level asks for it.
    """
    stream = stream or sys.stderr
    text = form == "text" or (form == "auto" and stream.isatty())
    access = AccessLog(stream, text=text)
    handler = _Handler(stream, access)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("regserver").setLevel(level.upper())
    return access if level in {"debug", "info"} else None
