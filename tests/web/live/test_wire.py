"""Observers see frames of the protocol, whatever the source says."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from regserver.adapters.source.line_parser import parse_line
from regserver.domain.account import AccountId
from regserver.domain.live_progress import Complete, LiveProgress, ProgressEvent, ProtocolBroken
from regserver.web.live.wire import encode_frame
from tests.live import check_event

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
COUNTS = st.integers(-(2**60), 2**60) | st.integers(-3, 30) | st.none()
NAMES = st.fixed_dictionaries({"firstName": st.text() | ANYTHING, "lastName": st.text()})
OBJECTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"message": st.text()}, optional={"step": COUNTS, "totalSteps": COUNTS}),
    st.fixed_dictionaries({"name": NAMES | ANYTHING}),
    st.fixed_dictionaries({"failure": st.text() | ANYTHING}),
    st.just({"done": True}),
    st.dictionaries(st.sampled_from(["step", "message", "name", "done", "failure"]), ANYTHING),
)
RAW_LINES = st.binary(max_size=80) | OBJECTS.map(lambda value: json.dumps(value).encode())


@given(st.lists(RAW_LINES, max_size=30))
def test_every_frame_satisfies_the_schema(lines: list[bytes]) -> None:
    progress = LiveProgress()
    numbers = [1]
    for line in lines:
        outcome = progress.take(parse_line(line))
        if isinstance(outcome, Complete):
            outcome = progress.authenticate(AccountId(5), "regs_x") or ProtocolBroken("")
        elif isinstance(outcome, ProtocolBroken):
            outcome = progress.fail("Failed") or outcome
        if isinstance(outcome, ProgressEvent):
            frame = json.loads(encode_frame(outcome))
            check_event(frame)
            numbers.append(frame["step"])
    assert numbers == sorted(numbers)
