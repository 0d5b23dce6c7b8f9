"""Logging: one line per happening, as text for people or JSON for machines, with every secret taken out on the way.

Redaction sits in the formatter, the last step before the line leaves the process, so no caller can forget it.
"""

import contextvars
import logging
import re
import sys
import time
from typing import Any, Literal, TextIO

import msgspec

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


class _AccessLine(msgspec.Struct, frozen=True):
    at: str
    level: str
    logger: str
    message: str
    client: str
    status: int
    ms: float
    request: str


class AccessLog:
    """One line per request, in the form of the other lines but past the logging module, whose records cost a hot
    request more than everything else. Nothing in it can be a secret: the route's pattern stands for the path."""

    def __init__(self, stream: TextIO, *, text: bool) -> None:
        self._write = stream.write
        self._line = self._text if text else self._json
        self._encode = msgspec.json.Encoder().encode
        self._second = 0
        self._at = ""

    def record(self, method: str, pattern: str, client: str, status: int, seconds: float) -> None:
        now = time.time()
        self._write(self._line(now, f"{method[:10]} {pattern}", client, status, round(seconds * 1000, 1)))

    def _json(self, now: float, message: str, client: str, status: int, milliseconds: float) -> str:
        if int(now) != self._second:
            self._second = int(now)
            self._at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        at = f"{self._at}.{int(now * 1000) % 1000:03d}Z"
        line = _AccessLine(at, "info", ACCESS, message, client, status, milliseconds, request_id.get())
        return self._encode(line).decode() + "\n"

    def _text(self, now: float, message: str, client: str, status: int, milliseconds: float) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(now))
        fields = f"client={client} status={status} ms={milliseconds} request={request_id.get()}"
        return f"{at} info    {message} {fields}\n"


def start_logging(
    level: str, form: Literal["auto", "text", "json"], stream: TextIO | None = None
) -> AccessLog | None:
    """Sends everything of ours, and the warnings of the libraries, to `stream` (standard error).

    The access log goes there, too, if the level asks for it.
    """
    stream = stream or sys.stderr
    text = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("regserver").setLevel(level.upper())
    return AccessLog(stream, text=text) if level in {"debug", "info"} else None
