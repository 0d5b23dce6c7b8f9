"""Files of people, as other software and spreadsheets write them."""

import io
from pathlib import Path

import pytest

from regserver.adapters.people_file import (
    MAX_LINE,
    PeopleFileFault,
    Reader,
    read_csv,
    read_json_lines,
    reader_of,
)
from regserver.domain.imported_person import ImportedPerson, ImportRow, name_fault

ADA = ImportedPerson(username="ada", email="ada@example.org", email_verified=True, password_hash="$1$x")


def rows(read: Reader, text: str | bytes) -> list[ImportRow]:
    return list(read(io.BytesIO(text.encode() if isinstance(text, str) else text)))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("x.csv", read_csv),
        ("X.CSV", read_csv),
        ("x.tsv", read_csv),
        ("x.jsonl", read_json_lines),
        ("x", read_json_lines),
    ],
)
def test_the_name_says_which(name: str, read: Reader) -> None:
    assert reader_of(Path(name)) is read


def test_json_lines() -> None:
    text = (
        '\ufeff{"username": " ada ", "email": "ada@example.org", "emailVerified": true, "passwordHash": "$1$x"}\n'
        "\n"
        '{"user_name": "bob"}\r\n'
        '{"username": "bob", "id": 7, "email": null, "password_hash": "h", "firstName": "B"}\n'
        '{"username": 5}\n'
        "[]\n"
        "{\n"
        '{"username": "cecile"}'
    )
    found = rows(read_json_lines, text)
    assert found[0] == ImportRow(1, ADA)
    assert [row.line for row in found] == [1, 3, 4, 5, 6, 7, 8]
    assert found[1].person == ImportedPerson(username="bob")
    assert found[2].person == ImportedPerson(username="bob", id="7", password_hash="h", first_name="B")
    assert found[3].person == "username: expected `str`, got `int`"
    assert found[4].person == "expected a JSON object"
    assert found[5].person == "not JSON"
    assert found[6].person == ImportedPerson(username="cecile")


def test_an_unknown_field_is_named() -> None:
    (row,) = rows(read_json_lines, '{"username": "ada", "password": "x"}')
    assert isinstance(row.person, str)
    assert row.person.startswith("no field 'password' is known; known: username, id, ")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(separator: str) -> None:
    text = (
        "\ufeffusername,Email,email_verified,passwordHash,\r\n"
        'ada,ada@example.org,TRUE,"$1$x"\r\n'
        ",,,\r\n"
        "bob,,no,,\r\n"
        "cecile,,perhaps,\r\n"
        "dan,,,,,x\r\n"
    ).replace(",", separator)
    found = rows(read_csv, text)
    assert found == [
        ImportRow(2, ADA),
        ImportRow(4, ImportedPerson(username="bob")),
        ImportRow(5, "emailVerified: expected true or false"),
        ImportRow(6, "a cell has no column; is a separator inside a value that is not quoted?"),
    ]


@pytest.mark.parametrize(
    ("read", "text", "fault"),
    [
        (read_csv, "", "line 1: the column username is missing"),
        (read_csv, "email\nx", "line 1: the column username is missing"),
        (read_csv, "username,secret\n", "line 1: no column 'secret' is known"),
        (read_csv, b"username\n\xff\n", "line 2: not UTF-8"),
        (read_csv, 'username\n"x" y\n', "line 2: "),
        (read_json_lines, "x" * (MAX_LINE + 1), "line 1: longer than 64 KiB"),
    ],
)
def test_a_file_that_cannot_be_read_on(read: Reader, text: str | bytes, fault: str) -> None:
    with pytest.raises(PeopleFileFault, match=fault):
        rows(read, text)


@pytest.mark.parametrize(
    ("person", "fault"),
    [
        (ImportedPerson(username=""), "username is missing"),
        (ImportedPerson(username="a" * 65), "username: expected at most 64 visible characters"),
        (ImportedPerson(username="a\u200bb"), "username: expected at most 64 visible characters"),
        (
            ImportedPerson(username="ada@example.org"),
            "username: it may not be an e-mail address, by which people sign in once it is verified",
        ),
        (ImportedPerson(username="a", id="x" * 257), "id: expected at most 256 printable characters"),
        (ImportedPerson(username="Ада Лавлейс"), None),
    ],
)
def test_who_can_be_imported(person: ImportedPerson, fault: str | None) -> None:
    assert name_fault(person) == fault
