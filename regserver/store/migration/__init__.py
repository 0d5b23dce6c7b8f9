"""Numbered SQL files, and what is common to running them.

A file is applied once, in the order of its number, inside one transaction with the row that remembers it. A database
that has seen a number which this program does not know was written by a newer one and is refused.

The format of a file: a comment is a line of its own that begins with `--`; a statement ends with a `;` at the end of a
line. Nothing else is looked at, so both marks may stand within a statement. {identity} and {bytes} are the back end's.
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
    """One file: its number, its name and its text, with the back ends' words still to be put in."""

    number: int
    name: str
    text: str

    def statements(self, words: dict[str, str]) -> Iterator[str]:
        """The statements, one at a time. words: what the back end says for {identity} and {bytes}."""
        text = re.sub(r"^\s*--.*\n?", "", self.text, flags=re.MULTILINE)
        for word, meaning in words.items():
            text = text.replace("{" + word + "}", meaning)
        return (
            statement.strip()
            for statement in re.split(r";[ \t]*$", text, flags=re.MULTILINE)
            if statement.strip()
        )


def migrations() -> list[Migration]:
    """All migrations of this program, in order, numbered from 1 without a gap."""
    found = [
        Migration(int(match[1]), match[2], file.read_text("utf-8"))
        for file in files(__package__).iterdir()
        if (match := re.fullmatch(r"(\d{4})_([a-z_]+)\.sql", file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def pending(version: int) -> list[Migration]:
    """The migrations that a database at `version` lacks; 0 is an empty one. Raises StoreFault when it is a newer one."""
    known = migrations()
    if version > known[-1].number:
        raise StoreFault(
            f"the database is at schema version {version}, this program knows up to {known[-1].number}: "
            "it was used by a newer regserver; run that one, or restore a backup"
        )
    return known[version:]
