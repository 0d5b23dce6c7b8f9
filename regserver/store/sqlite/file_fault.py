"""Errors of SQLite as faults of the store, in words for the operator."""

import sqlite3
from pathlib import Path

from regserver.owner import explain_refusal
from regserver.ports.store import StoreFault

_REFUSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_BASIC = 0xFF
"""The part of an error code that names the kind; the rest says more."""


def store_fault(path: Path, error: sqlite3.Error | OSError) -> StoreFault:
    """The fault of a database file; where the system refuses it, with who owns what."""
    if isinstance(error, OSError):
        return StoreFault(f"{path}: {error.strerror}{explain_refusal(path)}")
    refused = getattr(error, "sqlite_errorcode", 0) & _BASIC in _REFUSED
    return StoreFault(f"{path}: {error}{_refusal(path) if refused else ''}")


def _refusal(path: Path) -> str:
    """SQLite writes to three files beside each other."""
    parts = (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"))
    return next(filter(None, map(explain_refusal, parts)), "")
