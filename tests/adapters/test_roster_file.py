"""Rosters as spreadsheets and editors write them: taken, or named by row."""

from pathlib import Path

import pytest

from regserver.adapters.source.roster_file import Person, read_roster
from regserver.config import ConfigFault
from regserver.domain.account import is_sign_in_name

HEADER = "username,password,first_name,last_name\n"
ADA = Person(username="ada", password="s3cret", first_name="Ada", last_name="Łovelace")


def read(folder: Path, text: str | bytes, name: str = "roster.csv") -> tuple[Person, ...]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_roster(path)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "ada,s3cret,Ada,Łovelace\n",
        "\ufeff" + HEADER + "ada,s3cret,Ada,Łovelace",
        "username;password;first_name;last_name\r\nada;s3cret;Ada;Łovelace\r\n",
        "Username\tPassword\tFirst_Name\tLast_Name\nada\ts3cret\tAda\tŁovelace\n",
        (HEADER + "ada,s3cret,Ada,Łovelace\n").replace("\n", "\r"),
        ("\ufeff" + HEADER + "ada,s3cret,Ada,Łovelace\n").encode("utf-16-le"),
        "username,password,first_name,last_name,,\nada,s3cret,Ada,Łovelace,,,,\n",
        "\n,,,\n" + HEADER + ",,,\n\n  ada , s3cret,Ada ,\xa0Łovelace\n , ,,\n".replace(" s3cret", "s3cret"),
        HEADER + '"ada","s3cret","Ada","Łovelace"\n',
        "middle_name," + HEADER + ",ada,s3cret,Ada,Łovelace\n",
    ],
    ids=[
        "plain",
        "bom",
        "semicolons",
        "tabs",
        "old mac",
        "utf-16",
        "trailing cells",
        "blanks",
        "quoted",
        "empty cell",
    ],
)
def test_what_a_spreadsheet_writes_is_taken(tmp_path: Path, text: str | bytes) -> None:
    assert read(tmp_path, text) == (ADA,)


@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\r\n"])
def test_toml_of_any_editor_is_taken(tmp_path: Path, before: str) -> None:
    text = '[[user]]\r\nusername = " ada"\r\npassword = "s3cret"\r\nfirst_name = "Ada"\r\nlast_name = "Łovelace"\r\n'
    assert read(tmp_path, before + text, "roster.toml") == (ADA,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "ada,x,Ada,Lovelace\nbob,x,,\n", "line 3 (bob): expected first_name, last_name or both"),
        (HEADER + "ada,x,Ada,Lovelace,more\n", "line 2 (ada): a cell has no column"),
        (HEADER + "ada,x,Ada,L\n\nADA,x,Ada,L\n", "line 4 (ADA): the roster has this user name twice"),
        (HEADER + "ada, x,Ada,Lovelace\n", "line 2 (ada): the password begins or ends with a blank"),
        (HEADER + ",x,Ada,Lovelace\n", "line 2: missing required field `username`"),
        (HEADER + 'ada,x,"Ada\n', "not a roster: unexpected end of data"),
        ("username,pasword,first_name,last_name\n", "line 1: no column 'pasword' is known; known: username, "),
        ("password,first_name\n", "line 1: the column username is missing"),
        ("username,username,first_name,last_name\n", "line 1: a column is there twice"),
        ((HEADER + "ada,x,Ada,Ł\nzoë,x,Zoë,X\n").replace("Ł", "L").encode("latin-1"), "line 3 is not UTF-8, at its byte 3, 0xEB; it may be Latin-1"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named_by_row(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'roster.csv'}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x y", "Zoë d'Arc", "ada@example.org", "a" * 254])
def test_a_name_that_one_can_sign_in_with_is_taken(tmp_path: Path, name: str) -> None:
    (person,) = read(tmp_path, HEADER + f'"{name}",x,Ada,L\n')
    assert person.username == name
    assert is_sign_in_name(name)


ROW = '[[user]]\nusername = "ada"\nfirst_name = "Ada"\nlast_name = "L"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROW, "line 1 (ada): expected either password or password_hash"),
        (ROW + 'password = "x"\nage = 3\n', "line 1 (ada): unknown key age; "),
        (ROW + "password = 3\n", "line 1 (ada): expected `str | null`, got `int` (password)"),
        (ROW + 'password_hash = "$2b$x"\n', "line 1 (ada): password_hash: expected an argon2id hash"),
        (ROW + 'password = "x"\ndelay = "soon"\n', "line 1 (ada): delay: expected a duration"),
        (ROW.replace("ada", "a\\u001b"), "line 1 (a\\x1b): username: expected a name that one sees whole"),
        (ROW.replace("ada", "a\\u3164b"), "line 1 (a\u3164b): username: expected a name that one sees whole"),
        (ROW.replace("ada", "a" * 255), f"line 1 ({'a' * 255}): username: expected a name"),
        ("user = [3]\n", "line 1: expected [[user]]"),
        ("people = []\n", "not a roster: expected [[user]] tables alone"),
        ("[[user]\n", "not a roster: "),
        ("user = " + "[" * 20_000, "not a roster: "),
    ],
)
def test_faults_of_toml_are_named_by_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        read(tmp_path, text, "roster.toml")
    assert str(caught.value).startswith(f"{tmp_path / 'roster.toml'}: {said}")
