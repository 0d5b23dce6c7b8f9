"""The state machine, every state with every step, and the guards."""

import itertools
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.contact import ContactKey, LookupKey
from regserver.domain.instant import Instant
from regserver.domain.secret import new_token, redact_secrets
from regserver.domain.steps_machine import (
    FIRST,
    LAPSING,
    TRANSITIONS,
    Registration,
    Step,
    StepsState,
    as_of,
    is_steps_username,
    new_user_id,
)
from tests.fake import SeededRandomness

# The protocol's description, step by step: from, step, to.
DESCRIBED = {
    ("firstStep", "firstStep", "verify"),
    ("verify", "verify", "setUsername"),
    ("verify", "resendSmsCode", "verify"),
    ("firstStepEmail", "firstStepEmail", "verifyEmail"),
    ("verifyEmail", "verifyEmail", "setUsername"),
    ("verifyEmail", "resendEmailCode", "verifyEmail"),
    ("createIdentity", "createIdentity", "setUsername"),
    ("setUsername", "setUsername", "toBlockChain"),
    ("toBlockChain", "setUsername", "toBlockChain"),
    ("toBlockChain", "toBlockChain", "registered"),
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(get_args(StepsState), get_args(Step))))
def test_every_state_with_every_step(state: StepsState, step: Step) -> None:
    described = [to for start, name, to in DESCRIBED if (start, name) == (state, step)]
    following = TRANSITIONS[state].get(step)
    assert ([following] if following else []) == described


def registration(state: StepsState, lapses_at: int | None) -> Registration:
    return Registration(
        contact=ContactKey(b"c"),
        lookup=LookupKey(b"l"),
        kind="email",
        mask="a***",
        state=state,
        username="somebody",
        user_id="reg1aaaaaaaa",
        lapses_at=None if lapses_at is None else Instant(lapses_at),
        updated_at=Instant(0),
    )


@pytest.mark.parametrize("state", get_args(StepsState))
def test_time_takes_only_unfinished_registrations_back(state: StepsState) -> None:
    begun = registration(state, 100)
    assert as_of(begun, Instant(99)) == begun
    after = as_of(begun, Instant(100))
    if state in LAPSING:
        assert (after.state, after.username, after.user_id) == (FIRST["email"], None, None)
    else:
        assert after == begun
    assert as_of(registration(state, None), Instant(10**15)).state == state


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("some-user-name", True),
        ("abc", True),
        ("a.b-c", True),
        ("a1-2.3", True),
        ("a" * 32, True),
        ("ab", False),
        ("a" * 33, False),
        ("1abc", False),
        ("-abc", False),
        ("abc-", False),
        ("abc.", False),
        ("a..b", False),
        ("a.-b", False),
        ("a--b", False),
        ("Abc", False),
        ("a_b", False),
        ("abc\n", False),
        ("аbc", False),
        ("", False),
    ],
)
def test_user_names(name: str, good: bool) -> None:
    assert is_steps_username(name) is good


@given(st.text(alphabet="ab1.-", max_size=40))
def test_user_names_by_their_rule(name: str) -> None:
    expected = (
        3 <= len(name) <= 32
        and name[0] in "ab"
        and name[-1] not in ".-"
        and not any(pair in name for pair in ("..", "--", ".-", "-."))
    )
    assert is_steps_username(name) is expected


def test_user_ids_have_twelve_characters() -> None:
    below = SeededRandomness().below
    ids = {new_user_id("reg1", below) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(user_id) == 12 and user_id.startswith("reg1") for user_id in ids)
    assert all(letter.islower() for user_id in ids for letter in user_id[4:])


def test_registration_tokens_are_of_their_own_kind() -> None:
    token = new_token("regr_", bytes(32))
    assert token.startswith("regr_")
    assert len(token) == len("regr_") + 43
    assert redact_secrets(f"token {token} in a line") == "token regr_… in a line"
