"""The format of the numbered SQL files."""

import re

import pytest

from regserver.ports.store import StoreFault
from regserver.store.migration import Migration, migrations, pending
from regserver.store.sqlite.schema import WORDS

TEXT = """-- A comment; with marks -- of all kinds.
CREATE TABLE one (
    -- Also within a statement;
    id {identity},
    text TEXT NOT NULL DEFAULT 'a;b -- c'
);
INSERT INTO one (text) VALUES ('x; y');\x20

-- The end.
{sqlite} CREATE TABLE three (a {bytes});
{postgres} CREATE TABLE three (b {bytes});
CREATE TABLE two (hash {bytes} PRIMARY KEY)"""


def test_a_statement_ends_with_its_line() -> None:
    statements = list(
        Migration(1, "x", TEXT).statements({"identity": "SERIAL", "bytes": "BYTEA", "postgres": ""})
    )
    assert [re.sub(r"\s+", " ", statement) for statement in statements] == [
        "CREATE TABLE one ( id SERIAL, text TEXT NOT NULL DEFAULT 'a;b -- c' )",
        "INSERT INTO one (text) VALUES ('x; y')",
        "CREATE TABLE three (b BYTEA)",
        "CREATE TABLE two (hash BYTEA PRIMARY KEY)",
    ]


@pytest.mark.parametrize("migration", migrations(), ids=lambda migration: migration.name)
def test_every_file_has_this_format(migration: Migration) -> None:
    """Whatever stands before a line's end in the middle of a line would be part of a statement."""
    statements = list(migration.statements(WORDS))
    foreign = migration.text.count("\n{postgres} ")
    assert len(statements) + foreign == sum(
        line.rstrip().endswith(";") for line in migration.text.splitlines()
    )
    assert all(re.match(r"(CREATE|ALTER|INSERT|UPDATE|DROP) ", statement) for statement in statements)
    assert [statement for statement in statements if ";" in statement or "--" in statement] == []


def test_what_a_database_still_needs() -> None:
    newest = migrations()[-1].number
    assert [step.number for step in pending(0)] == list(range(1, newest + 1))
    assert [step.number for step in pending(newest - 1)] == [newest]
    assert pending(newest) == []
    with pytest.raises(
        StoreFault, match=f"schema version {newest + 1}.*up to {newest}: it was used by a newer"
    ):
        pending(newest + 1)
