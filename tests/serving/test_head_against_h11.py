"""The parser of heads and bodies compared with h11: it accepts no request that h11 reads differently."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.differential import STRICTER, Message, Refused, disagreement, read_h11, read_ours
from tests.serving.fuzz import mutations
from tests.serving.test_smuggling import ACCEPTED, REFUSED


@pytest.mark.parametrize("why", STRICTER)
def test_each_deliberate_difference_is_one(why: str) -> None:
    raw = STRICTER[why][1]
    assert read_ours(raw) == Refused(why)
    assert isinstance(read_h11(raw), Message)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted_is_read_alike(name: str) -> None:
    raw = ACCEPTED[name] + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
    assert disagreement(raw) == ""
    if not name.startswith("oversized"):
        assert isinstance(read_ours(raw.removeprefix(b"\r\n")), Message)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_by_both_or_for_a_reason(name: str) -> None:
    raw = REFUSED[name][1] + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
    assert not isinstance(read_ours(raw), Message)
    assert disagreement(raw) == ""


@pytest.mark.parametrize("seed", range(4))
def test_mutated_requests_are_read_alike(seed: int) -> None:
    corpus = [*ACCEPTED.values(), *(raw for _, raw in REFUSED.values())]
    read = 0
    for raw, _ in mutations(random.Random(seed), 3000, corpus):  # noqa: S311
        assert disagreement(raw) == "", raw
        read += isinstance(read_ours(raw), Message)
    assert read > 100  # the mutations leave some of them whole


_NAMES = st.sampled_from(
    ["Host", "Content-Length", "Transfer-Encoding", "X-A", "x-a", "Connection", "Upgrade", "Expect", "TE"]
)
_VALUES = st.one_of(
    st.sampled_from(
        ["x", "3", "03", "3, 3", "chunked", "Chunked", "gzip, chunked", "close", "100-continue", ""]
    ),
    st.text(st.characters(max_codepoint=255), max_size=12),
)
_LINES = st.lists(st.tuples(_NAMES, st.sampled_from([":", ": ", ":\t", " :"]), _VALUES), max_size=6)
_ENDS = st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r"])
_BODIES = st.sampled_from(
    ["", "abc", "3\r\nabc\r\n0\r\n\r\n", "3;x\r\nabc\r\n0\r\nX: y\r\n\r\n", "0\r\n\r\nabc"]
)


@settings(max_examples=1500)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "get", "CONNECT"]),
    st.one_of(st.just("/"), st.text(st.characters(max_codepoint=255), max_size=12).map("/".__add__)),
    st.sampled_from(["1.1", "1.1", "1.0", "1.2", "2.0"]),
    _LINES,
    _ENDS,
    _BODIES,
)
def test_made_up_requests_are_read_alike(
    method: str, target: str, version: str, lines: list[tuple[str, str, str]], end: str, body: str
) -> None:
    head = [f"{method} {target} HTTP/{version}", *("".join(line) for line in lines)]
    raw = (end.join(head) + "\r\n\r\n" + body).encode("latin-1")
    assert disagreement(raw) == ""
