"""Logging: `line` formats records, `access` the lines of requests, and `sink` writes both without holding anybody up.

Based on the standard library's logging: structlog has neither the redaction nor a cheaper line for requests. Its QueueHandler
would wake the thread for each line, and counts nothing that it drops.
"""

import logging
import sys
import threading
from typing import Literal

from regserver.log.access import AccessLog
from regserver.log.hourly import HourlyLog
from regserver.log.line import JsonFormatter, TextFormatter, redact, request_id
from regserver.log.sink import LogSink
from regserver.log.target import LogTarget, log_file, standard_error

__all__ = [
    "AccessLog",
    "HourlyLog",
    "LogTarget",
    "ProcessLog",
    "log_file",
    "log_interpreter",
    "redact",
    "request_id",
    "start_logging",
]

_log = logging.getLogger("regserver")


class _Handler(logging.Handler):
    """Hands each record over to the sink, after the access log's lines before it."""

    def __init__(self, sink: LogSink, access: AccessLog) -> None:
        super().__init__()
        self._sink = sink
        self._access = access

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record, or that it could not be formatted: no record may raise where it is logged."""
        try:
            line = self.format(record)
        except Exception as error:
            broken = {"name": record.name, "levelname": "ERROR"}
            message = f"a line of the log cannot be formatted: {type(error).__name__}"
            line = self.format(logging.makeLogRecord({**broken, "msg": message}))
        self._access.flush()
        self._sink.put((line + "\n",))


class ProcessLog:
    """The log of a process. text: for people. access: the lines of requests."""

    def __init__(self, sink: LogSink, access: AccessLog, *, text: bool) -> None:
        self._sink = sink
        self.text = text
        self.access = access

    def take_level(self, level: str) -> None:
        """Writes lines of this level and above; those of requests have the level "info"."""
        logging.getLogger("regserver").setLevel(level.upper())
        self.access.is_on = level in {"debug", "info"}

    @property
    def lost(self) -> int:
        """The lines dropped since the start."""
        return self._sink.lost

    def print(self, text: str) -> None:
        """Writes text for a person at the terminal, as it is."""
        self.access.flush()
        self._sink.put((text + "\n",))

    def reopen_nowait(self) -> None:
        """Opens the log file anew if it has been moved."""
        self._sink.reopen_nowait()

    def close(self) -> bool:
        """Writes what waits; returns False when the reader has stalled, and the rest is lost."""
        self.access.flush()
        return self._sink.close()


def start_logging(
    level: str, form: Literal["auto", "text", "json"], target: LogTarget | None = None
) -> ProcessLog:
    """Sends log lines of regserver and warnings of libraries to `target` (default: standard error).

    level: the lowest that is written; the lines of requests have the level "info".
    """
    target = target or standard_error()
    text = form == "text" or (form == "auto" and target.is_terminal)
    formatter = TextFormatter() if text else JsonFormatter()

    def notice(message: str) -> str:
        fields = {"name": "regserver.log", "levelno": logging.WARNING, "levelname": "WARNING", "msg": message}
        return formatter.format(logging.makeLogRecord(fields)) + "\n"

    sink = LogSink(target, notice)
    access = AccessLog(sink.put, text=text)
    handler = _Handler(sink, access)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    output = ProcessLog(sink, access, text=text)
    output.take_level(level)
    return output


def log_interpreter() -> None:
    """Sends to the log what the interpreter itself would print to standard error, and wait for its reader."""
    logging.captureWarnings(True)

    def unraisable(report: "sys.UnraisableHookArgs") -> None:
        _log.error("%s: %r", report.err_msg or "ignored", report.object, exc_info=report.exc_value)

    def of_thread(report: threading.ExceptHookArgs) -> None:
        _log.error("a thread failed", exc_info=report.exc_value)

    sys.unraisablehook = unraisable
    threading.excepthook = of_thread
