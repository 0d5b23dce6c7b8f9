"""Logging to one stream: `line` formats records, `access` writes the lines of requests.

Based on the standard library's logging: structlog has neither the redaction nor a cheaper line for requests.
"""

import logging
import sys
from typing import Literal, TextIO

from regserver.log.access import AccessLog
from regserver.log.line import JsonFormatter, TextFormatter, redact, request_id

__all__ = ["AccessLog", "redact", "request_id", "start_logging"]


class _Handler(logging.StreamHandler[TextIO]):
    """Flushes the access log before each line."""

    def __init__(self, stream: TextIO, access: AccessLog) -> None:
        super().__init__(stream)
        self._access = access

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record. Errors of the stream are ignored: a log without a reader must not end the server."""
        self._access.flush()
        super().emit(record)


def start_logging(
    level: str, form: Literal["auto", "text", "json"], stream: TextIO | None = None
) -> AccessLog | None:
    """Sends log lines of regserver and warnings of libraries to `stream` (default: standard error).

    level: the lowest that is written. Returns the access log of the same stream; None unless `level` is "debug" or "info".
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
