"""Numbered SQL files, and how they are read.

Each file is applied once, in the order of the numbers, in one transaction with the row that records it. A database with an
unknown number was written by a newer program and is refused.

The format of a file: a comment is a line of its own that begins with `--`; a statement ends with a `;` at the end of a
line. Elsewhere both are part of a statement. A back end replaces {identity} and {bytes}. A statement that begins with
{sqlite} or {postgres} is for that back end alone.
"""

import re
from collections.abc import Iterator
from importlib.resources import files

import msgspec

from regserver.ports.store import StoreFault

VERSION_TABLE = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL)"
CURRENT_VERSION = "SELECT max(number) FROM migration"
REMEMBER = "INSERT INTO migration (number, name, at) VALUES (?, ?, ?)"


class Migration(msgspec.Struct, frozen=True):
    """One file: its number, its name and its text, with placeholders for the back end's words."""

    number: int
    name: str
    text: str

    def statements(self, words: dict[str, str]) -> Iterator[str]:
        """The statements. words: the back end's replacements of {identity} and {bytes}, and of its own name by nothing."""
        text = re.sub(r"^\s*--.*\n?", "", self.text, flags=re.MULTILINE)
        for word, meaning in words.items():
            text = text.replace("{" + word + "}", meaning)
        for statement in map(str.strip, re.split(r";[ \t]*$", text, flags=re.MULTILINE)):
            if statement and not statement.startswith("{"):
                yield statement


def migrations() -> list[Migration]:
    """All migrations of this program, in order, numbered from 1 without a gap."""
    found = [
        Migration(int(match[1]), match[2], file.read_text("utf-8"))
        for file in files(__package__).iterdir()
        if (match := re.fullmatch(r"(\d{4})_([a-z_]+)\.sql", file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def pending(version: int) -> list[Migration]:
    """The migrations after `version`; 0 is an empty database. Raises StoreFault for a version that is not known."""
    known = migrations()
    if version > known[-1].number:
        raise StoreFault(
            f"the database is at schema version {version}, this program knows up to {known[-1].number}: "
            "it was used by a newer regserver; run that one, or restore a backup"
        )
    return known[version:]
