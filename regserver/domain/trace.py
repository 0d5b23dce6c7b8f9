"""The trace that a request belongs to, as its client says it: W3C Trace Context, `traceparent`.

    traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
                 │  the trace                        │ the caller's   flags
                 version                               span

It is told in the log, and handed on with a span of our own: in the answer, and in what the request asks of others. A request
without one gets none. `tracestate` is not handed on, as the standard allows.
"""

import re
from contextvars import ContextVar

import msgspec

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_FIRST_VERSION = "00"
_NO_VERSION = "ff"


class RequestTrace(msgspec.Struct, frozen=True):
    """trace: its id. span: of this server's part. flags: the caller's. All are lower-case hex."""

    trace: str
    span: str
    flags: str

    @property
    def parent(self) -> str:
        """The value of traceparent for whatever this server asks, and for its answer."""
        return f"{_FIRST_VERSION}-{self.trace}-{self.span}-{self.flags}"


current_trace: ContextVar[RequestTrace | None] = ContextVar("current_trace", default=None)
"""That of the request that this task serves."""


def read_trace(text: str, span: str) -> RequestTrace | None:
    """The trace of a request; None where the field has not the form of the standard. span: a new id, 16 digits of hex.

    A later version may have more at the end, and is read as this one (section 3.2.4).
    """
    found = _FORM.fullmatch(text.strip()) if len(text) <= 512 else None
    if found is None:
        return None
    version, trace, parent, flags, more = found.groups()
    if version == _NO_VERSION or (version == _FIRST_VERSION and more):
        return None
    if not trace.strip("0") or not parent.strip("0"):
        return None
    return RequestTrace(trace, span, flags)
