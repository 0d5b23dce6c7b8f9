"""Reading a roster from TOML or CSV, as editors and spreadsheets write them. Every fault names its row.

    [[user]]
    username = "ada"
    password = "..."            # or password_hash = "$argon2id$..."
    first_name = "Ada"
    last_name = "Lovelace"      # middle_name, steps and delay may follow

CSV has columns of the same names but `steps`, and commas, semicolons or tabs between them. Blanks around a cell do not
count, and neither do empty rows or empty cells behind the last column. A password that begins or ends with a blank is
refused in CSV, where nobody sees the blank.
"""

import csv
import difflib
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from regserver.config import ConfigFault
from regserver.config.text_file import read_text
from regserver.config.toml_line import toml_lines
from regserver.config.unit import read_duration
from regserver.domain.account import NameKey, is_sign_in_name, name_key

DEFAULT_STEPS = (
    "Connecting to the data source",
    "Checking your credentials",
    "Looking up your record",
    "Reading your profile",
    "Preparing your account",
    "Almost done",
)
_DELIMITERS = ",;\t"

Row = Mapping[str, Any]


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row; people may have one name. delay: the pause before each step, such as "500ms"."""

    username: str
    first_name: str = ""
    last_name: str = ""
    middle_name: str | None = None
    password: str | None = None
    password_hash: str | None = None
    delay: str = "500ms"
    steps: tuple[str, ...] = DEFAULT_STEPS


_COLUMNS = tuple(name for name in Person.__struct_fields__ if name != "steps")
_NEEDED = ("username",)
MAX_TOLD = 20
"""Rows whose faults are told at once."""


def read_roster(path: Path) -> tuple[Person, ...]:
    """Reads and checks the file. Raises ConfigFault, which names the row."""
    try:
        text = read_text(path)
        rows = _rows_of_csv(text) if path.suffix.lower() == ".csv" else _rows_of_toml(text)
        people, faults = _people(rows)
    except OSError as error:
        raise ConfigFault(f"{path}: cannot be read: {error.strerror}") from None
    except _RowFault as fault:
        raise ConfigFault(f"{path}: {fault}") from None
    except (tomllib.TOMLDecodeError, csv.Error, RecursionError) as error:
        raise ConfigFault(f"{path}: not a roster: {error}") from None
    except ValueError as error:
        raise ConfigFault(f"{path}: {error}") from None
    if faults:
        more = [f"{path}: {len(faults) - MAX_TOLD} more rows"] if len(faults) > MAX_TOLD else []
        raise ConfigFault(*(f"{path}: {fault}" for fault in faults[:MAX_TOLD]), *more)
    return tuple(people.values())


def _people(rows: Iterator[tuple[str, Row]]) -> tuple[dict[NameKey, Person], list["_RowFault"]]:
    """The people, and the rows that are none. Raises what the rows raise where the rest cannot be read."""
    people: dict[NameKey, Person] = {}
    faults: list[_RowFault] = []
    for where, row in rows:
        try:
            person = _person(where, row)
            if name_key(person.username) in people:
                raise _RowFault(where, "the roster has this user name twice")
            people[name_key(person.username)] = person
        except _RowFault as fault:
            faults.append(fault)
    return people, faults


def parse_delay(text: str) -> float:
    """Reads "500ms", "2s" or "2" as seconds. Raises ValueError."""
    return read_duration(int(text) if re.fullmatch("[0-9]{1,9}", text) else text).seconds


class _RowFault(Exception):
    """where: the row, such as "line 3 (ada)"."""

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(f"{where}: {detail}")


def _rows_of_toml(text: str) -> Iterator[tuple[str, Row]]:
    content = tomllib.loads(text)
    users, lines = content.get("user", []), toml_lines(text)
    first = lines.get(("user",), 1)
    if content.keys() - {"user"} or not isinstance(users, list):
        raise ValueError("not a roster: expected [[user]] tables alone")
    for number, row in enumerate(users, 1):
        if not isinstance(row, dict):
            raise _RowFault(f"line {first}", "expected [[user]]")
        yield _where(f"line {lines.get(('user', str(number - 1)), first)}", row), row


def _rows_of_csv(text: str) -> Iterator[tuple[str, Row]]:
    first = next((line for line in text.splitlines() if line.strip(_DELIMITERS + " ")), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    names: list[str] = []
    for cells in reader:
        if not any(map(str.strip, cells)):
            continue
        line = f"line {reader.line_num}"
        if not names:
            names = _columns(line, cells)
            continue
        row = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
        yield _where(line, row), _row_of_cells(_where(line, row), names, cells, row)


def _columns(line: str, cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    given = [name for name in names if name]
    if unknown := [name for name in given if name not in _COLUMNS]:
        raise _RowFault(line, f"no column {unknown[0]!r} is known; known: {', '.join(_COLUMNS)}")
    if missing := [name for name in _NEEDED if name not in given]:
        raise _RowFault(line, f"the column {missing[0]} is missing")
    if len(set(given)) < len(given):
        raise _RowFault(line, "a column is there twice")
    return names


def _row_of_cells(where: str, names: list[str], cells: list[str], row: dict[str, str]) -> Row:
    lost = [c for n, c in zip([*names, *[""] * len(cells)], cells, strict=False) if not n and c.strip()]
    if lost:
        raise _RowFault(where, "a cell has no column; is a separator inside a value that is not quoted?")
    if (password := row.get("password", "")) != password.strip():
        raise _RowFault(where, "the password begins or ends with a blank")
    return {name: cell.strip() for name, cell in row.items()}


def _where(place: str, row: Row) -> str:
    name = str(row.get("username", "")).strip()
    shown = name if name.isprintable() else ascii(name)[1:-1]  # a terminal would obey it
    return f"{place} ({shown})" if name else place


def _person(where: str, row: Row) -> Person:
    if unknown := sorted(row.keys() - set(Person.__struct_fields__)):
        near = difflib.get_close_matches(unknown[0], Person.__struct_fields__, 1, 0.6)
        known = f"did you mean {near[0]}?" if near else f"known here: {', '.join(Person.__struct_fields__)}"
        raise _RowFault(where, f"unknown key {unknown[0]}; {known}")
    try:
        person = msgspec.convert(row, Person)
    except msgspec.ValidationError as error:
        text = re.sub(r" - at `\$\.?(.*)`$", r" (\1)", str(error).removeprefix("Object "))
        raise _RowFault(where, text[:1].lower() + text[1:]) from None
    person = msgspec.structs.replace(person, username=person.username.strip())
    if not person.username.isprintable() or not is_sign_in_name(person.username):
        raise _RowFault(
            where, "username: expected a name that one sees whole; nobody could sign in with this one"
        )
    if not person.first_name and not person.last_name:
        raise _RowFault(where, "expected first_name, last_name or both")
    if "\0" in person.first_name + person.last_name + (person.middle_name or ""):
        raise _RowFault(where, "a NUL in a name")
    if (person.password is None) == (person.password_hash is None):
        raise _RowFault(where, "expected either password or password_hash")
    if person.password_hash is not None and not person.password_hash.startswith("$argon2id$"):
        raise _RowFault(where, "password_hash: expected an argon2id hash, beginning with $argon2id$")
    try:
        parse_delay(person.delay)
    except ValueError:
        raise _RowFault(where, 'delay: expected a duration such as "500ms" or "2s"') from None
    return person
