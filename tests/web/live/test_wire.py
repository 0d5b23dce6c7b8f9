"""Observers see frames of the protocol, whatever the source says."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from regserver.adapters.source.line_parser import parse_line
from regserver.domain.account import AccountId
from regserver.domain.live_progress import Complete, LiveMessage, LiveProgress, ProgressEvent, ProtocolBroken
from regserver.text import CATALOGUES
from regserver.web.live.wire import TEXTS, encode_frame
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
            frame = json.loads(encode_frame(outcome, "en"))
            check_event(frame)
            numbers.append(frame["step"])
    assert numbers == sorted(numbers)


def test_our_own_messages_are_in_the_language_of_the_registration() -> None:
    event = LiveProgress().fail(LiveMessage.TOO_SLOW)
    assert event is not None
    assert b"L\xe2\x80\x99inscription a pris trop de temps" in encode_frame(event, "fr")
    words = LiveProgress().fail("No such person")  # the source's own
    assert words is not None
    assert b'"No such person"' in encode_frame(words, "fr")


def test_the_catalogues_have_these_messages_and_no_others() -> None:
    for catalogue in CATALOGUES.values():
        assert catalogue.live.keys() == set(LiveMessage)


def test_the_words_that_clients_know() -> None:
    assert TEXTS["en"] == {
        LiveMessage.NAMED: "Your name was found",
        LiveMessage.REGISTERED: "Registration complete",
        LiveMessage.BROKEN: "Registration could not be completed. Please try again later.",
        LiveMessage.TOO_SLOW: "Registration took too long. Please try again later.",
        LiveMessage.STOPPING: "The server is restarting. Please sign in again in a moment.",
        LiveMessage.NAME_LOST: "This user name was taken meanwhile.",
        LiveMessage.NOT_INVITED: "The invitation for this registration is no longer good. Please ask for another one.",
        LiveMessage.NODE_LOST: "The server that registered you has failed. Please sign in again.",
    }
