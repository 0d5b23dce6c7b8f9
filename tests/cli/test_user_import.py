"""`regserver user import` and `regserver password hash`: a file, its report, and the first sign-in after it."""

import io
import json
from pathlib import Path

import argon2
import pytest

from regserver.adapters.server_key import load_server_key
from regserver.domain.account import NewAccount, name_key
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.identity_service import SignedIn
from regserver.store.sqlite import migrate
from tests.cli.shell import Shell
from tests.live_world import world

MD5 = "$1$saltsalt$NuzA7WTAelpl95xgBGWN60"
LINES = f"""\
{{"username": "ada", "passwordHash": "{MD5}"}}
{{"username": "bob", "passwordHash": "secret"}}
"""


@pytest.fixture
def prepared(shell: Shell) -> Shell:
    path = shell.folder / "test.db"
    migrate(path, 0)
    load_server_key(path.with_suffix(".key"))
    return shell


def people(folder: Path, text: str, name: str = "people.jsonl") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


async def test_a_file_is_imported_and_what_is_refused_is_told(prepared: Shell) -> None:
    file = people(prepared.folder, LINES)
    reason = "line 2: passwordHash: this kind of hash is not known, or it is damaged"
    done = await prepared.run("user", "import", file, "--dry-run")
    assert done == (1, f"{reason}\n1 would be imported, 0 imported by an earlier run, 1 refused\n", "")
    done = await prepared.run("user", "import", file)
    assert done == (1, f"{reason}\n1 imported, 0 imported by an earlier run, 1 refused\n", "")
    again = await prepared.run("user", "import", file, "--json")
    assert again.code == 1
    assert json.loads(again.out) == {
        "dryRun": False,
        "imported": 0,
        "known": 1,
        "refused": 1,
        "refusals": [{"line": 2, "reason": reason.partition(": ")[2]}],
    }
    shown = await prepared.run("user", "show", "ada")
    assert "door      operator\npassword  set\n" in shown.out
    assert "secret" not in done.out + again.out


async def test_csv_and_standard_input(prepared: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    file = people(prepared.folder, "username;id\nada;1\n", "people.csv")
    done = await prepared.run("user", "import", file)
    assert done == (0, "1 imported, 0 imported by an earlier run, 0 refused\n", "")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"username": "ada", "id": "1"}\n')))
    done = await prepared.run("user", "import", "-")
    assert done == (0, "0 imported, 1 imported by an earlier run, 0 refused\n", "")


async def test_files_that_cannot_be_read(prepared: Shell) -> None:
    missing = str(prepared.folder / "none.csv")
    done = await prepared.run("user", "import", missing)
    assert done == (1, "", f"regserver: {missing}: No such file or directory\n")
    done = await prepared.run("user", "import", str(prepared.folder))
    assert done == (1, "", f"regserver: {prepared.folder}: Is a directory\n")
    file = people(prepared.folder, "username,secret\n", "people.csv")
    done = await prepared.run("user", "import", file)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"regserver: {file}: line 1: no column 'secret' is known; known: username, ")
    assert done.err.endswith("; lines before it were taken\n")
    done = await prepared.run("user", "show", "ada", "--dry-run")
    assert done.code == 2
    assert "--dry-run: only with import" in done.err


async def test_the_first_sign_in_renews_the_hash(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        new = NewAccount(username="ada", origin="operator", created_at=here.clock.now(), password_hash=MD5)
        await here.store.write(lambda transaction: add_account(transaction, new))

        async def kept(transaction: Transaction) -> str:
            account = await transaction.accounts.by_name(name_key("ada"))
            assert account is not None
            return account.password_hash or ""

        assert not isinstance(await here.sign_in("ada", "correct horst"), SignedIn)
        assert await here.store.read(kept) == MD5
        assert isinstance(await here.sign_in("ada", "correct horse"), SignedIn)
        renewed = await here.store.read(kept)
        assert argon2.PasswordHasher().verify(renewed, "correct horse")
        assert isinstance(await here.sign_in("ada", "correct horse"), SignedIn)
        assert await here.store.read(kept) == renewed


async def test_a_password_is_hashed_as_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = ("password.memory=512KiB", "password.time_cost=1")
    for arguments in ((), ("--json",)):
        monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\r\n"))
        done = await shell.run("password", "hash", *arguments, settings=cheap)
        assert (done.code, done.err) == (0, "")
        encoded = json.loads(done.out)["passwordHash"] if arguments else done.out.rstrip("\n")
        assert argon2.PasswordHasher().verify(encoded, "correct horse")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = await shell.run("password", "hash", settings=cheap)
    assert done == (1, "", "regserver: there is no password on standard input\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", [("correct horse", "correct horse"), ("correct horse", "Correct horse")])
async def test_at_a_terminal_it_is_typed_twice(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    done = await shell.run("password", "hash", settings=("password.memory=512KiB",))
    if typed[0] == typed[1]:
        assert done.out.startswith("$argon2id$")
    else:
        assert done == (1, "", "regserver: the two passwords differ\n")
