"""What counts as an id, a room name, a post, a key; and cursors, whatever comes instead of one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.account import MAX_JSON_INTEGER
from regserver.domain.cursor import CursorSeal
from regserver.domain.idempotency import MAX_KEY_LENGTH, is_idempotency_key
from regserver.domain.instant import Instant
from regserver.domain.room import (
    MAX_POST_BYTES,
    MAX_ROOM_NAME_LENGTH,
    is_id,
    is_post_content,
    is_room_name,
    parse_id,
)
from regserver.domain.room_event import START, EventId, Position

SEAL = CursorSeal(bytes(range(32)))
positions = st.builds(
    Position,
    st.integers(0, MAX_JSON_INTEGER).map(EventId),
    st.integers(0, 2**48 - 1).map(Instant),
)


@pytest.mark.parametrize(
    "text",
    ["", "0", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "١", "²", "1_000", "a", "9007199254740992",
     "99999999999999999999", "null", "true", "1\0", "1/2", "%31"],
)  # fmt: skip
def test_what_is_no_id_in_a_path(text: str) -> None:
    assert parse_id(text) is None


@given(st.integers(1, MAX_JSON_INTEGER))
def test_every_number_up_to_2_53_is_an_id(number: int) -> None:
    assert parse_id(str(number)) == number
    assert is_id(number)


@given(st.text())
def test_an_id_in_a_path_is_canonical(text: str) -> None:
    number = parse_id(text)
    assert number is None or str(number) == text


@pytest.mark.parametrize("value", [True, False, 0, -1, 1.0, "1", None, [1], {}, MAX_JSON_INTEGER + 1, 10**30])
def test_what_is_no_id_in_a_body(value: object) -> None:
    assert not is_id(value)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("Tea", True),
        (" ", False),
        ("", False),
        ("a\nb", False),
        ("\0", False),
        ("\ud800", False),
        ("🫖 дом", True),
        ("x" * MAX_ROOM_NAME_LENGTH, True),
        ("x" * (MAX_ROOM_NAME_LENGTH + 1), False),
    ],
)
def test_room_names(name: str, good: bool) -> None:
    assert is_room_name(name) is good


@pytest.mark.parametrize(
    ("content", "good"),
    [
        ("", False),
        (" ", False),
        ("line\nbreak", True),
        ("a\0b", False),
        ("\udfff", False),
        ("x" * MAX_POST_BYTES, True),
        ("x" * (MAX_POST_BYTES + 1), False),
        ("🫖" * (MAX_POST_BYTES // 4), True),
        ("🫖" * (MAX_POST_BYTES // 4) + "x", False),
    ],
)
def test_posts(content: str, good: bool) -> None:
    assert is_post_content(content) is good


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", True),
        ("", False),
        ("a b", False),
        ("é", False),
        ("x" * MAX_KEY_LENGTH, True),
        ("x" * (MAX_KEY_LENGTH + 1), False),
        ("a\tb", False),
    ],
)
def test_retry_keys(key: str, good: bool) -> None:
    assert is_idempotency_key(key) is good


# --- cursors
@given(positions)
def test_a_cursor_is_read_as_it_was_written(position: Position) -> None:
    text = SEAL.write(position)
    assert SEAL.read(text) == position
    assert len(text) == 28
    assert json.loads(json.dumps(text)) == text


@given(positions, st.integers(0, 27), st.characters())
def test_a_changed_cursor_is_none(position: Position, at: int, character: str) -> None:
    text = SEAL.write(position)
    changed = text[:at] + character + text[at + 1 :]
    assert SEAL.read(changed) == (position if changed == text else None)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda data: data.decode("latin-1")))
def test_garbage_is_no_cursor(text: str) -> None:
    assert SEAL.read(text) is None


@given(positions)
def test_another_servers_cursor_is_none(position: Position) -> None:
    assert CursorSeal(bytes(32)).read(SEAL.write(position)) is None


def test_the_start_has_a_cursor_too() -> None:
    assert SEAL.read(SEAL.write(START)) == START


def test_positions_of_one_number_differ_by_time() -> None:
    one, other = (SEAL.write(Position(EventId(7), Instant(at))) for at in (1, 2))
    assert one != other


any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(any_json)
def test_is_id_takes_anything(value: object) -> None:
    assert is_id(value) is (isinstance(value, int) and value is not True and 1 <= value <= MAX_JSON_INTEGER)
