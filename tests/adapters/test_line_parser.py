"""Parsing the lines of a source, and refusing everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.adapters.source.line_parser import (
    MAX_LINE_BYTES,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    parse_line,
)
from regserver.domain.account import Profile
from regserver.domain.source_line import (
    DoneLine,
    FailureLine,
    MalformedLine,
    NameLine,
    SourceLine,
    StepLine,
)

ADA = Profile(first_name="Ada", middle_name=None, last_name="Lovelace")

LINES: list[tuple[bytes, SourceLine]] = [
    (b'{"step": 1, "totalSteps": 3, "message": "One"}', StepLine("One", 1, 3)),
    (b'{"message": "One"}\r', StepLine("One")),
    (b'{"message": "One", "messages": {"fr": "Un\\n"}}', StepLine("One", messages={"fr": "Un "})),
    (b'{"failure": "No", "messages": {"fr": "Non"}}', FailureLine("No", {"fr": "Non"})),
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
    b'{"name": {"firstName": "A", "lastName": "B\\u0000"}}',
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
    b'{"name": {}}',
    b'{"name": {"firstName": "", "lastName": null}}',
    b'{"name": {"firstName": "' + b"a" * (MAX_NAME_LENGTH + 1) + b'", "lastName": "b"}}',
    b'{"message": "' + b"x" * MAX_LINE_BYTES + b'"}',
    b'{"a":' * 10_000,
]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ('"firstName": "Ada"', "Ada", ""),
        ('"firstName": "Ada", "lastName": null', "Ada", ""),
        ('"lastName": "O"', "", "O"),
    ],
)
def test_people_may_have_one_name(name: str, first: str, last: str) -> None:
    found = parse_line(b'{"name": {%b}}\r' % name.encode())
    assert found == NameLine(Profile(first_name=first, middle_name=None, last_name=last))


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
def test_any_bytes_are_read_as_some_line(line: bytes) -> None:
    assert isinstance(parse_line(line), SourceLine)
