"""What a source's lines mean, and that observers see the seed's frames whatever they say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.account import MAX_JSON_INTEGER, Profile
from regserver.domain.course import (
    MAX_EVENTS,
    MAX_TEXT_LENGTH,
    TRANSITIONS,
    Broken,
    Complete,
    Course,
    CourseState,
    Event,
)
from regserver.domain.live import (
    MAX_LINE_BYTES,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    Failed,
    Finished,
    Line,
    Malformed,
    Named,
    Step,
    parse_line,
)
from regserver.web.registration import encode_frame
from tests.live import check_event

ADA = Profile(first_name="Ada", middle_name=None, last_name="Lovelace")

LINES: list[tuple[bytes, Line]] = [
    (b'{"step": 1, "totalSteps": 3, "message": "One"}', Step("One", 1, 3)),
    (b'{"message": "One"}\r', Step("One")),
    (b'{"message": "One", "step": null, "more": [1, {}]}', Step("One")),
    (b'{"message": ""}', Step("")),
    (b'{"message": "a\\u0000\\n\\u001b[31mb\\u2028c"}', Step("a [31mb c")),
    (b'{"step": -5, "message": "x"}', Step("x", -5)),
    (b'{"name": {"firstName": "Ada", "lastName": "Lovelace"}}', Named(ADA)),
    (b'{"name": {"firstName": "Ada", "middleName": null, "lastName": "Lovelace"}}', Named(ADA)),
    (b'{"failure": "No record"}', Failed("No record")),
    (b'{"done": true}', Finished()),
]


@pytest.mark.parametrize(("line", "meaning"), LINES)
def test_lines_of_the_protocol(line: bytes, meaning: Line) -> None:
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
    assert isinstance(parse_line(line), Malformed)


def test_the_detail_does_not_repeat_the_line() -> None:
    for line in (b'{"message": {"s3cret": 1}}', b'{"done": "s3cret"}', b"s3cret", b'{"name": "s3cret"}'):
        meaning = parse_line(line)
        assert isinstance(meaning, Malformed)
        assert "s3cret" not in meaning.detail


def test_messages_are_cut() -> None:
    assert parse_line(b'{"failure": "' + b"x" * 5000 + b'"}') == Failed("x" * MAX_MESSAGE_LENGTH)


@given(st.binary())
def test_parsing_never_raises(line: bytes) -> None:
    parse_line(line)


# --- the course
def courses() -> dict[CourseState, Course]:
    """One in each state."""
    found = {}
    for state in TRANSITIONS:
        course = Course()
        if state in {"named", "registered"}:
            course.take(Named(ADA))
        if state == "registered":
            course.authenticate(1, "t", "done")
        if state == "failed":
            course.fail("no")
        assert course.state == state
        found[state] = course
    return found


OUTCOMES: dict[CourseState, dict[str, tuple[type, CourseState]]] = {
    "running": {
        "step": (Event, "running"),
        "name": (Event, "named"),
        "done": (Broken, "running"),
        "failure": (Event, "failed"),
        "malformed": (Broken, "running"),
    },
    "named": {
        "step": (Event, "named"),
        "name": (Broken, "named"),
        "done": (Complete, "named"),
        "failure": (Event, "failed"),
        "malformed": (Broken, "named"),
    },
    "registered": dict.fromkeys(("step", "name", "done", "failure", "malformed"), (Broken, "registered")),
    "failed": dict.fromkeys(("step", "name", "done", "failure", "malformed"), (Broken, "failed")),
}
SAID: dict[str, Line] = {
    "step": Step("x", 1, 2),
    "name": Named(ADA),
    "done": Finished(),
    "failure": Failed("no"),
    "malformed": Malformed("?"),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("state", OUTCOMES)
def test_every_line_in_every_state(state: CourseState, said: str) -> None:
    course = courses()[state]
    outcome = course.take(SAID[said])
    assert (type(outcome), course.state) == OUTCOMES[state][said]


def shown(*lines: Line) -> list[tuple[int, int]]:
    course = Course()
    events = [course.take(line) for line in lines]
    return [(event.step, event.total_steps) for event in events if isinstance(event, Event)]


def test_steps_never_go_back() -> None:
    lines = [Step("", number) for number in (0, 2, 1, -7, 2, 5, 4)]
    assert [step for step, _ in shown(*lines)] == [1, 2, 2, 2, 2, 5, 5]


def test_steps_without_numbers_are_counted() -> None:
    assert shown(Step(""), Step(""), Step("", 7), Step(""), Named(ADA)) == [
        (1, -1),
        (2, -1),
        (7, -1),
        (8, -1),
        (8, -1),
    ]


def test_the_total_is_unknown_until_it_is_said_and_never_below_the_step() -> None:
    lines = [Step("", 1), Step("", 2, 0), Step("", 3, -4), Step("", 4, 6), Step("", 5), Step("", 9, 6)]
    assert shown(*lines) == [(1, -1), (2, -1), (3, -1), (4, 6), (5, 6), (9, 9)]


def test_numbers_stay_what_json_can_carry() -> None:
    assert shown(Step("", MAX_JSON_INTEGER), Step("")) == [(MAX_JSON_INTEGER, -1)] * 2


def test_a_registration_has_bounded_length() -> None:
    course = Course()
    for _ in range(MAX_EVENTS):
        assert isinstance(course.take(Step("x")), Event)
    assert isinstance(course.take(Step("x")), Broken)
    course = Course()
    for _ in range(MAX_TEXT_LENGTH // MAX_MESSAGE_LENGTH):
        assert isinstance(course.take(Step("x" * MAX_MESSAGE_LENGTH)), Event)
    assert isinstance(course.take(Step("x" * MAX_MESSAGE_LENGTH)), Broken)


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
    course = Course()
    numbers = [1]
    for line in lines:
        outcome = course.take(parse_line(line))
        if isinstance(outcome, Complete):
            outcome = course.authenticate(5, "regs_x", "Registered") or Broken("")
        elif isinstance(outcome, Broken):
            outcome = course.fail("Failed") or outcome
        if isinstance(outcome, Event):
            frame = json.loads(encode_frame(outcome))
            check_event(frame)
            numbers.append(frame["step"])
    assert numbers == sorted(numbers)
