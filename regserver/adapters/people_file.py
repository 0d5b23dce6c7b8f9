"""Reading people from a file of JSON lines or CSV, a line at a time, so that the file may be of any length.

    {"username": "ada", "email": "ada@example.org", "emailVerified": true, "passwordHash": "$2b$12$…"}

CSV has the same names in its first row, and commas, semicolons or tabs between the cells. Names may be written as
`passwordHash` or `password_hash`. A line that tells of nobody is one row with a reason; only a file that cannot be read on
is a fault.
"""

import csv
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from regserver.domain.imported_person import ImportedPerson, ImportRow

MAX_LINE = 64 * 1024
"""Bytes of one line."""
_DELIMITERS = ",;\t"
_FIELDS = {name.replace("_", ""): name for name in ImportedPerson.__struct_fields__}
_YES, _NO = {"true", "yes", "1", "t"}, {"false", "no", "0", "f", ""}

PeopleRows = Generator[ImportRow, None, None]
Reader = Callable[[IO[bytes]], PeopleRows]


class PeopleFileFault(Exception):
    """The file cannot be read, or not on from some line; the message says where."""


def reader_of(path: Path) -> Reader:
    """The way to read a file of this name: CSV, or else JSON lines."""
    return read_csv if path.suffix.lower() in {".csv", ".tsv"} else read_json_lines


def read_json_lines(file: IO[bytes]) -> PeopleRows:
    """One JSON object in each line that is not empty."""
    number, line = 0, file.readline(MAX_LINE + 1)
    while line:
        number += 1
        if len(line) > MAX_LINE:
            raise PeopleFileFault(f"line {number}: longer than {MAX_LINE // 1024} KiB; is it JSON lines?")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield ImportRow(number, _person_of_json(line))
        line = file.readline(MAX_LINE + 1)


def read_csv(file: IO[bytes]) -> PeopleRows:
    """A row of names, then a row for each person. Raises PeopleFileFault."""
    start = file.readline(MAX_LINE)
    first = _text(start.removeprefix(b"\xef\xbb\xbf"), 1)
    reader = csv.reader(_lines(first, file), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    names: list[str] = []
    try:
        for cells in reader:
            if not names:
                names = _columns(cells)
            elif any(map(str.strip, cells)):
                yield ImportRow(reader.line_num, _person_of_cells(names, cells))
    except csv.Error as error:
        raise PeopleFileFault(f"line {reader.line_num}: {error}") from None


def _lines(first: str, file: IO[bytes]) -> Iterator[str]:
    yield first
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 2):
        yield _text(line, number)


def _text(line: bytes, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise PeopleFileFault(f"line {number}: not UTF-8") from None


def _columns(cells: list[str]) -> list[str]:
    names = [_plain(cell) for cell in cells]
    known = ", ".join(_FIELDS.values())
    for name, cell in zip(names, cells, strict=True):
        if name and name not in _FIELDS:
            raise PeopleFileFault(f"line 1: no column {cell.strip()!r} is known; known: {known}")
    if "username" not in names:
        raise PeopleFileFault("line 1: the column username is missing")
    return names


def _person_of_cells(names: list[str], cells: list[str]) -> ImportedPerson | str:
    if any(map(str.strip, cells[len(names) :])):
        return "a cell has no column; is a separator inside a value that is not quoted?"
    row: dict[str, Any] = {
        name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()
    }
    said = str(row.get("emailverified", "")).lower()
    if said not in _YES | _NO:
        return "emailVerified: expected true or false"
    return _person(row | {"emailverified": said in _YES})


def _person_of_json(line: bytes) -> ImportedPerson | str:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "not JSON"
    if not isinstance(value, dict):
        return "expected a JSON object"
    return _person({_plain(name): field for name, field in value.items() if field is not None})


def _person(row: Mapping[str, Any]) -> ImportedPerson | str:
    if unknown := sorted(row.keys() - _FIELDS.keys()):
        return f"no field {unknown[0][:40]!r} is known; known: {', '.join(_FIELDS.values())}"
    named = {_FIELDS[name]: value for name, value in row.items()}
    if isinstance(named.get("id"), int):
        named["id"] = str(named["id"])
    try:
        person = msgspec.convert({"username": "", **named}, ImportedPerson)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        return f"{where.rstrip('`')}: {what[:1].lower()}{what[1:]}"
    return msgspec.structs.replace(person, username=person.username.strip())


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "")
