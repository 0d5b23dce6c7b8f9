"""`regserver key` and `regserver audit`: what they print, and what they refuse."""

import json
import sqlite3
from contextlib import closing

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.store.sqlite import migrate
from tests.cli.shell import Shell


@pytest.fixture
def prepared(shell: Shell) -> Shell:
    """A store and a key, as a server that has run once leaves them."""
    path = shell.folder / "test.db"
    migrate(path, 0)
    load_server_key(path.with_suffix(".key"))
    return shell


async def test_a_key_is_made_shown_once_listed_and_revoked(prepared: Shell) -> None:
    done = await prepared.run("key", "create", "anna", "--role", "admin")
    secret, said = done.out.splitlines()
    assert secret.startswith("regs_op_")
    assert said == "the key anna, for admin; it is shown this once"
    made = json.loads((await prepared.run("key", "create", "bot", "--role", "publish", "--json")).out)
    assert (made["name"], made["role"], made["key"][:8]) == ("bot", "publish", "regs_op_")
    listed = await prepared.run("key", "list")
    assert [line.split()[:2] for line in listed.out.splitlines()] == [["anna", "admin"], ["bot", "publish"]]
    assert "regs_op_" not in listed.out
    again = await prepared.run("key", "create", "bot", "--role", "read")
    assert (again.code, again.err) == (1, "regserver: bot: another key has the name\n")
    assert (await prepared.run("key", "revoke", "bot")).out == "the key bot is revoked\n"
    gone = await prepared.run("key", "revoke", "bot")
    assert (gone.code, gone.err) == (1, "regserver: bot: no key has the name\n")
    rows = json.loads((await prepared.run("audit", "list", "--json")).out)
    assert [(row["action"], row["subject"], row["outcome"]) for row in rows] == [
        ("key_revoked", "key bot", "done"),
        ("key_made", "key bot, publish", "done"),
        ("key_made", "key anna, admin", "done"),
    ]
    assert all(row["actor"].startswith("command ") for row in rows)
    only = await prepared.run("audit", "list", "--action", "key_made", "--before", "2", "--limit", "5")
    assert only.out.endswith("key anna, admin\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "create", "anna"),
        ("key", "create", "--role", "admin"),
        ("key", "list", "anna"),
        ("key", "revoke"),
        ("key", "revoke", "anna", "--role", "admin"),
        ("key", "create", "anna", "--role", "root"),
    ],
)
async def test_wrong_usage(prepared: Shell, arguments: tuple[str, ...]) -> None:
    assert (await prepared.run(*arguments)).code == 2


async def test_the_audit_is_verified(prepared: Shell) -> None:
    assert (await prepared.run("audit", "verify")).out.startswith("0 rows, all in order; last hash 0000")
    for name in ("anna", "bob"):
        await prepared.run("key", "create", name, "--role", "read")
    whole = json.loads((await prepared.run("audit", "verify", "--json")).out)
    assert (whole["whole"], whole["rows"], whole["trimmed"]) == (True, 2, 0)
    with closing(sqlite3.connect(prepared.folder / "test.db")) as connection, connection:
        connection.execute("UPDATE audit SET actor = 'key eve' WHERE number = 2")
    broken = await prepared.run("audit", "verify")
    assert (broken.code, broken.out) == (1, "row 2 was changed\n")
    strange = await prepared.run("audit", "list", "--before", "x")
    assert (strange.code, strange.err) == (2, "regserver: --before: expected a number from 1 on\n")


async def test_a_link_to_the_page_is_printed_once_and_kept_as_a_hash(prepared: Shell) -> None:
    link, said = (await prepared.run("key", "link")).out.splitlines()
    secret = link.partition("/operator/enter#")[2]
    assert len(secret) == len("rego_") + 43
    assert said.startswith("it works once, until 20")
    assert said.endswith("; the link before it has ended")
    again = json.loads((await prepared.run("key", "link", "--json")).out)
    assert set(again) == {"link", "expiresAt"}
    with closing(sqlite3.connect(prepared.folder / "test.db")) as connection:
        assert connection.execute("SELECT count(*), count(key_id) FROM operator_entry").fetchall() == [(1, 0)]
    assert secret.encode() not in (prepared.folder / "test.db").read_bytes()
    assert (await prepared.run("key", "link", "anna")).code == 2
