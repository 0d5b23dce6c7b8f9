"""The two formats of a log line: text for a terminal, JSON for programs.

Secrets are removed from both, and characters that are not printed are written as escapes: a control sequence or a line
break in a value would let a stranger clear the terminal, or forge a line. Both are the formatter's last steps, so no caller
can forget them.
"""

import contextvars
import functools
import json
import logging
import re
import time
from typing import Any

import msgspec

from regserver.domain.secret import redact_secrets
from regserver.domain.trace import current_trace

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
"""The id of the request that this task serves. It is in every log line and in the X-Request-Id field."""

_STANDARD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "color_message"}

_encode = msgspec.json.Encoder(enc_hook=str).encode

_IN_URL = re.compile(r"(?i)\b(token|ticket|password|code|secret)=[^&\s\\\"'<>()]+")
_REGISTRATION = re.compile(r"\bu-[0-9a-f]{8}-[0-9a-f-]{27}\b")
_CHALLENGE = re.compile(r"/[A-Za-z0-9]{5,200}/confirm\b")
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{6,}")


def redact(text: str) -> str:
    """The line without tokens, tickets, challenges, registration ids and Authorization values."""
    text = _IN_URL.sub(r"\1=…", text)
    text = _REGISTRATION.sub("u-…", text)
    text = _CHALLENGE.sub("/…/confirm", text)
    return redact_secrets(_AUTHORIZATION.sub(r"\1 …", text))


def visible(text: str) -> str:
    """The text with escapes for what is not printed: control characters, line breaks, changes of direction."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def visible_json(text: str) -> str:
    """JSON with escapes for what is not printed; its meaning stays."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def utc_millis(at: float) -> str:
    """An instant in ISO 8601 with milliseconds. at: seconds since 1970, as `time.time` has them."""
    return _utc_millis(int(at * 1000))


@functools.lru_cache(maxsize=4)  # a busy server answers several requests in a millisecond
def _utc_millis(at: int) -> str:
    return f"{_utc(at // 1000)}.{at % 1000:03d}Z"


@functools.lru_cache(maxsize=4)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
    if (identity := request_id.get()) and "request" not in fields:
        fields["request"] = identity
    if (trace := current_trace.get()) is not None:
        fields["trace"] = trace.trace
    return fields


class JsonFormatter(logging.Formatter):
    """One JSON object per line: at, level, logger, message, the record's own fields, and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "at": utc_millis(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return visible_json(redact(to_json(line)))


def to_json(line: object) -> str:
    """One object as JSON. Never raises: what has no form in JSON is written as text."""
    try:
        return _encode(line).decode()
    except UnicodeEncodeError:  # half a surrogate pair, as in the name of a file that is not UTF-8
        return json.dumps(msgspec.to_builtins(line, enc_hook=str))


class TextFormatter(logging.Formatter):
    """For a terminal: local time, level, message, then the record's own fields as key=value.

    A field named `text` and a traceback follow, each of their lines behind a mark.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at, own = time.strftime("%H:%M:%S", time.localtime(record.created)), _fields(record)
        block = str(own.pop("text", ""))
        fields = "".join(f" {key}={value}" for key, value in own.items())
        first = f"{at} {record.levelname.lower():7} {record.getMessage()}{fields}"
        if record.exc_info:
            block += "\n" + self.formatException(record.exc_info)
        lines = [
            visible(redact(first)),
            *(f"  | {visible(redact(line))}" for line in block.strip("\n").splitlines()),
        ]
        return "\n".join(lines)
