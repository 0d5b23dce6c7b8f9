"""What a source's lines mean, and that observers see the seed's frames whatever they say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.account import MAX_JSON_INTEGER, Profile
from regserver.domain.live_progress import (
    MAX_EVENTS,
    MAX_TEXT_LENGTH,
    TRANSITIONS,
    Complete,
    LiveProgress,
    ProgressEvent,
    ProgressState,
    ProtocolBroken,
)
from regserver.domain.source_line import (
    MAX_LINE_BYTES,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    DoneLine,
    FailureLine,
    MalformedLine,
    NameLine,
    SourceLine,
    StepLine,
    parse_line,
)
from regserver.web.registration import encode_frame
from tests.live import check_event

ADA = Profile(first_name="Ada", middle_name=None, last_name="Lovelace")

LINES: list[tuple[bytes, SourceLine]] = [
    (b'{"step": 1, "totalSteps": 3, "message": "One"}', StepLine("One", 1, 3)),
    (b'{"message": "One"}\r', StepLine("One")),
    (b'{"message": "One", "step": null, "more": [1, {}]}', StepLine("One")),
    (b'{"message": ""}', StepLine("")),
    (b'{"message": "a\\u0000\\n\\u001b[31mb\\u2028c"}', StepLine("a [31mb c")),
    (b'{"step": -5, "message": "x"}', StepLine("x", -5)),
    (b'{"name": {"firstName": "Ada", "lastName": "Lovelace"}}', NameLine(ADA)),
    (b'{"name": {"firstName": "Ada", "middleName": null, "lastName": "Lovelace"}}', NameLine(ADA)),
    (b'{"failure": "No record"}', FailureLine("No record")),
    (b'{"done": true}', DoneLine()),
]


@pytest.mark.parametrize(("line", "meaning"), LINES)
def test_lines_of_the_protocol(line: bytes, meaning: SourceLine) -> None:
    assert parse_line(line) == meaning


MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"done"',
    b"{}",
    b'{"done": false}',
    b'{"done": 1}',
    b'{"step": 1}',
    b'{"step": "1", "message": "x"}',
    b'{"step": 1.5, "message": "x"}',
    b'{"step": true, "message": "x"}',
    b'{"step": NaN, "message": "x"}',
    b'{"step": 9007199254740992, "message": "x"}',
    b'{"totalSteps": 1e400, "message": "x"}',
    b'{"message": 7}',
    b'{"message": "\xff"}',
    b'{"message": "\\ud800"}',
    b'\xef\xbb\xbf{"message": "x"}',
    b'{"message": "x", "done": true}',
    b'{"name": "Ada"}',
    b'{"name": {"firstName": "Ada"}}',
    b'{"name": {"firstName": "Ada", "lastName": null}}',
    b'{"name": {"firstName": "' + b"a" * (MAX_NAME_LENGTH + 1) + b'", "lastName": "b"}}',
    b'{"message": "' + b"x" * MAX_LINE_BYTES + b'"}',
    b'{"a":' * 10_000,
]


@pytest.mark.parametrize("line", MALFORMED, ids=range(len(MALFORMED)))
def test_everything_else_is_malformed(line: bytes) -> None:
    assert isinstance(parse_line(line), MalformedLine)


def test_the_detail_does_not_repeat_the_line() -> None:
    for line in (b'{"message": {"s3cret": 1}}', b'{"done": "s3cret"}', b"s3cret", b'{"name": "s3cret"}'):
        meaning = parse_line(line)
        assert isinstance(meaning, MalformedLine)
        assert "s3cret" not in meaning.detail


def test_messages_are_cut() -> None:
    assert parse_line(b'{"failure": "' + b"x" * 5000 + b'"}') == FailureLine("x" * MAX_MESSAGE_LENGTH)


@given(st.binary())
def test_parsing_never_raises(line: bytes) -> None:
    parse_line(line)


# --- the progress
def progresses() -> dict[ProgressState, LiveProgress]:
    """One in each state."""
    found = {}
    for state in TRANSITIONS:
        progress = LiveProgress()
        if state in {"named", "registered"}:
            progress.take(NameLine(ADA))
        if state == "registered":
            progress.authenticate(1, "t", "done")
        if state == "failed":
            progress.fail("no")
        assert progress.state == state
        found[state] = progress
    return found


OUTCOMES: dict[ProgressState, dict[str, tuple[type, ProgressState]]] = {
    "running": {
        "step": (ProgressEvent, "running"),
        "name": (ProgressEvent, "named"),
        "done": (ProtocolBroken, "running"),
        "failure": (ProgressEvent, "failed"),
        "malformed": (ProtocolBroken, "running"),
    },
    "named": {
        "step": (ProgressEvent, "named"),
        "name": (ProtocolBroken, "named"),
        "done": (Complete, "named"),
        "failure": (ProgressEvent, "failed"),
        "malformed": (ProtocolBroken, "named"),
    },
    "registered": dict.fromkeys(
        ("step", "name", "done", "failure", "malformed"), (ProtocolBroken, "registered")
    ),
    "failed": dict.fromkeys(("step", "name", "done", "failure", "malformed"), (ProtocolBroken, "failed")),
}
SAID: dict[str, SourceLine] = {
    "step": StepLine("x", 1, 2),
    "name": NameLine(ADA),
    "done": DoneLine(),
    "failure": FailureLine("no"),
    "malformed": MalformedLine("?"),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("state", OUTCOMES)
def test_every_line_in_every_state(state: ProgressState, said: str) -> None:
    progress = progresses()[state]
    outcome = progress.take(SAID[said])
    assert (type(outcome), progress.state) == OUTCOMES[state][said]


def shown(*lines: SourceLine) -> list[tuple[int, int]]:
    progress = LiveProgress()
    events = [progress.take(line) for line in lines]
    return [(event.step, event.total_steps) for event in events if isinstance(event, ProgressEvent)]


def test_steps_never_go_back() -> None:
    lines = [StepLine("", number) for number in (0, 2, 1, -7, 2, 5, 4)]
    assert [step for step, _ in shown(*lines)] == [1, 2, 2, 2, 2, 5, 5]


def test_steps_without_numbers_are_counted() -> None:
    assert shown(StepLine(""), StepLine(""), StepLine("", 7), StepLine(""), NameLine(ADA)) == [
        (1, -1),
        (2, -1),
        (7, -1),
        (8, -1),
        (8, -1),
    ]


def test_the_total_is_unknown_until_it_is_said_and_never_below_the_step() -> None:
    lines = [
        StepLine("", 1),
        StepLine("", 2, 0),
        StepLine("", 3, -4),
        StepLine("", 4, 6),
        StepLine("", 5),
        StepLine("", 9, 6),
    ]
    assert shown(*lines) == [(1, -1), (2, -1), (3, -1), (4, 6), (5, 6), (9, 9)]


def test_numbers_stay_what_json_can_carry() -> None:
    assert shown(StepLine("", MAX_JSON_INTEGER), StepLine("")) == [(MAX_JSON_INTEGER, -1)] * 2


def test_a_registration_has_bounded_length() -> None:
    progress = LiveProgress()
    for _ in range(MAX_EVENTS):
        assert isinstance(progress.take(StepLine("x")), ProgressEvent)
    assert isinstance(progress.take(StepLine("x")), ProtocolBroken)
    progress = LiveProgress()
    for _ in range(MAX_TEXT_LENGTH // MAX_MESSAGE_LENGTH):
        assert isinstance(progress.take(StepLine("x" * MAX_MESSAGE_LENGTH)), ProgressEvent)
    assert isinstance(progress.take(StepLine("x" * MAX_MESSAGE_LENGTH)), ProtocolBroken)


# --- whatever the source says
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
            outcome = progress.authenticate(5, "regs_x", "Registered") or ProtocolBroken("")
        elif isinstance(outcome, ProtocolBroken):
            outcome = progress.fail("Failed") or outcome
        if isinstance(outcome, ProgressEvent):
            frame = json.loads(encode_frame(outcome))
            check_event(frame)
            numbers.append(frame["step"])
    assert numbers == sorted(numbers)
