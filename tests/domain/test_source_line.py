"""A line of a source in the language of its reader."""

import pytest

from regserver.domain.source_line import DoneLine, FailureLine, SourceLine, StepLine, in_language


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (StepLine("One", 1, 2, {"fr": "Un"}), "Un"),
        (StepLine("One", 1, 2, {"ru": "Один"}), "One"),
        (FailureLine("No", {"fr": "Non"}), "Non"),
    ],
)
def test_a_message_is_in_the_readers_language_where_the_source_has_it(line: SourceLine, message: str) -> None:
    assert getattr(in_language(line, "fr"), "message", None) == message


def test_a_line_without_a_message_stays() -> None:
    assert in_language(DoneLine(), "fr") == DoneLine()
