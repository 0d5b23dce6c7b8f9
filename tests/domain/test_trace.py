"""W3C Trace Context: which values of traceparent are taken (its section 3.2), and what is handed on."""

import pytest

from regserver.domain.trace import RequestTrace, read_trace

TRACE, PARENT, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "text",
    [
        f"00-{TRACE}-{PARENT}-01",
        f" 00-{TRACE}-{PARENT}-01\t",
        f"01-{TRACE}-{PARENT}-01-what-a-later-version-adds",
        f"fe-{TRACE}-{PARENT}-01",
    ],
)
def test_taken(text: str) -> None:
    trace = read_trace(text, SPAN)
    assert trace == RequestTrace(TRACE, SPAN, "01")
    assert trace.parent == f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"01-{TRACE}-{PARENT}-01more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0x",
        f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
        f"01-{TRACE}-{PARENT}-01-" + "x" * 1000,
        f"00-{'٠' * 32}-{PARENT}-01",
    ],
)
def test_not_taken(text: str) -> None:
    assert read_trace(text, SPAN) is None
