"""`regserver user` for what changes accounts: made, listed, renamed, suspended, given a password."""

import io
import json
import sqlite3
from contextlib import closing

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.store.sqlite import migrate
from tests.cli.shell import Shell

CHEAP = ("password.time_cost=1", "password.memory=1MiB")


@pytest.fixture
def prepared(shell: Shell) -> Shell:
    """A store and a key, as a server that has run once leaves them."""
    path = shell.folder / "test.db"
    migrate(path, 0)
    load_server_key(path.with_suffix(".key"))
    return shell


async def made(shell: Shell, name: str, *more: str) -> dict[str, object]:
    done = await shell.run("user", "create", name, "--no-password", "--json", *more, settings=CHEAP)
    assert (done.code, done.err) == (0, "")
    value: dict[str, object] = json.loads(done.out)
    return value


async def test_accounts_are_made_listed_and_found(prepared: Shell) -> None:
    ann = await made(prepared, "ann", "--email", "Ann@example.org", "--verified")
    assert (ann["username"], ann["email"], ann["door"], ann["password"]) == (
        "ann",
        "Ann@example.org",
        "operator",
        False,
    )
    await made(prepared, "bob")
    listed = await prepared.run("user", "list")
    assert [line.split()[3] for line in listed.out.splitlines()] == ["ann", "bob"]
    found = json.loads((await prepared.run("user", "list", "--search", "EXAMPLE.org", "--json")).out)
    assert [each["username"] for each in found] == ["ann"]
    assert (await prepared.run("user", "list", "--search", "%")).out == "no accounts\n"
    taken = await prepared.run("user", "create", "ANN", "--no-password", settings=CHEAP)
    assert (taken.code, taken.err) == (1, "regserver: ANN: the name is taken\n")


async def test_a_password_is_read_and_set(prepared: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long passphrase\n"))
    done = await prepared.run("user", "create", "ann", "--json", settings=CHEAP)
    assert json.loads(done.out)["password"] is True
    monkeypatch.setattr("sys.stdin", io.StringIO("password\n"))
    weak = await prepared.run("user", "password", "ann", settings=CHEAP)
    assert weak.code == 1
    assert weak.err.startswith("regserver: ann: the password is too short")
    monkeypatch.setattr("sys.stdin", io.StringIO("another long passphrase\n"))
    assert (await prepared.run("user", "password", "ann", settings=CHEAP)).code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    none = await prepared.run("user", "password", "ann", settings=CHEAP)
    assert none.err == "regserver: there is no password on standard input\n"


async def test_a_name_is_changed(prepared: Shell) -> None:
    await made(prepared, "ann")
    await made(prepared, "bob")
    taken = await prepared.run("user", "rename", "ann", "--to", "Bob")
    assert (taken.code, taken.out) == (1, "")
    assert (await prepared.run("user", "rename", "ann", "--to", "Anna")).code == 0
    assert (await prepared.run("user", "show", "ann")).err == "regserver: no such account\n"
    assert (await made(prepared, "ann"))["number"] == 3
    assert (await prepared.run("user", "rename", "anna", "--to", "ANNA")).code == 0


async def test_suspension_and_its_end(prepared: Shell) -> None:
    await made(prepared, "ann")
    done = await prepared.run("user", "suspend", "ann")
    assert "suspended 20" in done.out
    again = await prepared.run("user", "suspend", "ann")
    assert again == (1, "", "regserver: account 1 is suspended already\n")
    assert (await prepared.run("user", "list")).out.endswith("suspended\n")
    assert "suspended" not in (await prepared.run("user", "resume", "ann")).out
    assert (await prepared.run("user", "resume", "ann")).err == "regserver: account 1 is not suspended\n"
    rows = json.loads((await prepared.run("audit", "list", "--account", "1", "--json")).out)
    assert [row["action"] for row in rows] == ["account_resumed", "suspended", "account_made"]
    with closing(sqlite3.connect(prepared.folder / "test.db")) as connection:
        kinds = connection.execute("SELECT count(*) FROM account WHERE suspended_at IS NULL").fetchone()
    assert kinds == (1,)


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "ann"),
        ("create",),
        ("rename", "ann"),
        ("show", "ann", "--to", "bob"),
        ("show", "ann", "--search", "x"),
        ("show", "ann", "--email", "x"),
        ("suspend",),
    ],
)
async def test_wrong_usage(prepared: Shell, arguments: tuple[str, ...]) -> None:
    assert (await prepared.run("user", *arguments)).code == 2
