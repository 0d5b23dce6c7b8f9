"""What observers see of a registration: every line in every state."""

import pytest

from regserver.domain.account import MAX_JSON_INTEGER, AccountId, Profile
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
    DoneLine,
    FailureLine,
    MalformedLine,
    NameLine,
    SourceLine,
    StepLine,
)

ADA = Profile(first_name="Ada", middle_name=None, last_name="Lovelace")


def progresses() -> dict[ProgressState, LiveProgress]:
    """One in each state."""
    found = {}
    for state in TRANSITIONS:
        progress = LiveProgress()
        if state in {"named", "registered"}:
            progress.take(NameLine(ADA))
        if state == "registered":
            progress.authenticate(AccountId(1), "t")
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
    for _ in range(MAX_TEXT_LENGTH // 1000):
        assert isinstance(progress.take(StepLine("x" * 1000)), ProgressEvent)
    assert isinstance(progress.take(StepLine("x")), ProtocolBroken)
