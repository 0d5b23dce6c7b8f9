"""The machine: its clock, open files, the libraries."""

import ctypes
import ssl
from collections.abc import Iterator

from regserver.cli import NO_RIPEMD160
from regserver.config import Loaded
from regserver.domain.finding import Finding
from regserver.domain.public_key import has_ripemd160
from regserver.serving.descriptor import connections_at_most

_UNSYNCHRONISED = 5
"""adjtimex(2): TIME_ERROR."""
_TIMEX_BYTES = 512
"""Larger than struct timex of any Linux."""


def check_clock(loaded: Loaded) -> Iterator[Finding]:
    """Whether the kernel counts it as set by a time server. loaded: unused; all checks have this parameter."""
    state = clock_state()
    if state == _UNSYNCHRONISED:
        yield Finding(
            "hint", "the clock is set by no time server: codes of authenticator apps need one that is right"
        )
    elif state >= 0:
        yield Finding("ok", "the clock is kept right by a time server")


def clock_state() -> int:
    """What adjtimex(2) says of the clock, without setting anything; -1 where it cannot be asked."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (AttributeError, OSError):
        return -1


def check_files(loaded: Loaded) -> Iterator[Finding]:
    """How many connections the limit on open files allows."""
    possible, wanted = connections_at_most(), loaded.settings.server.max_connections
    if possible < wanted:
        yield Finding(
            "hint",
            f"only {possible} connections are possible, fewer than server.max_connections, {wanted}: "
            "raise the limit on open files (ulimit -n, LimitNOFILE=)",
        )
    else:
        yield Finding("ok", f"{wanted} connections are possible")


def check_library(loaded: Loaded) -> Iterator[Finding]:
    """OpenSSL's. loaded: unused."""
    if has_ripemd160():
        yield Finding("ok", f"{ssl.OPENSSL_VERSION} has RIPEMD-160")
    else:
        yield Finding("fail", f"{ssl.OPENSSL_VERSION}: {NO_RIPEMD160}")
