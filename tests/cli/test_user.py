"""`regserver user`: an account by each of its names, without its secrets; deleted and restored while no server runs."""

import json
from pathlib import Path

import pytest

from regserver.adapters.system import SystemClock, SystemRandomness
from regserver.domain.account import NewAccount, name_key
from regserver.domain.instant import DAY, Duration, Instant
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.asker import Asker
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.store.sqlite import open_sqlite
from tests.cli.shell import Shell

ANN = NewAccount(
    username="Ann",
    origin="steps",
    created_at=Instant(1_600_000_000_000),
    email="ann@example.org",
    password_hash="$argon2id$secret",
    ledger_name="reg1abcdefgh",
)


async def add(folder: Path) -> int:
    async with open_sqlite(folder / "test.db") as store:
        added = await store.write(lambda transaction: add_account(transaction, ANN))
    assert isinstance(added, int)
    return added


async def test_an_account_is_found_by_each_of_its_names(shell: Shell) -> None:
    number = await add(shell.folder)
    expected = (
        f"number    {number}\n"
        "username  Ann\n"
        "e-mail    ann@example.org\n"
        "userId    reg1abcdefgh\n"
        "door      steps\n"
        "password  set\n"
        "created   2020-09-13T12:26:40Z\n"
    )
    for name in ("ann", "ANN", "Ann@Example.org", "reg1abcdefgh", str(number)):
        assert await shell.run("user", "show", name) == (0, expected, ""), name


@pytest.mark.parametrize("name", ["nobody", "nobody@example.org", "999", "", "x" * 500, "a\nb"])
async def test_nobody_is_one_line(shell: Shell, name: str) -> None:
    await add(shell.folder)
    assert await shell.run("user", "show", name) == (1, "", "regserver: no such account\n")


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("delete",), ("erase", "ann"), ("show", "ann", "bob"), ("show", "ann", "--session", "1")],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = await shell.run("user", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "usage: regserver" in done.err


async def test_an_account_is_deleted_once_and_comes_back(shell: Shell) -> None:
    number = await add(shell.folder)
    done = await shell.run("user", "delete", "ann")
    assert (done.code, done.err) == (0, "")
    assert "\ndeleted   " in done.out
    already = f"regserver: account {number} is deleted already\n"
    assert await shell.run("user", "delete", str(number)) == (1, "", already)
    done = await shell.run("user", "restore", "ann")
    assert (done.code, "deleted" in done.out) == (0, False)
    assert await shell.run("user", "delete", "bob") == (1, "", "regserver: no such account\n")


async def sign_in(folder: Path, name: str | None = None) -> int:
    """A session of Ann's, or a token of hers with a name; its id."""
    async with open_sqlite(folder / "test.db") as store:
        identity = IdentityService(store, SystemClock(), SystemRandomness(), Duration(DAY))

        async def work(transaction: Transaction) -> SignedIn:
            ann = await transaction.accounts.by_name(name_key("ann"))
            assert ann is not None
            asker = Asker("192.0.2.7", "en", "curl/8.5.0")
            if name is None:
                return await identity.issue(transaction, ann.id, asker)
            return await identity.issue_named(transaction, ann.id, asker, name, Duration(DAY))

        return (await store.write(work)).session_id


async def test_sessions_are_listed_and_ended(shell: Shell) -> None:
    number = await add(shell.folder)
    assert await shell.run("user", "sessions", "ann") == (0, "no sessions\n", "")
    phone, laptop = await sign_in(shell.folder), await sign_in(shell.folder)
    backup = await sign_in(shell.folder, "backup")
    listed = (await shell.run("user", "sessions", "ann")).out.splitlines()
    assert {int(line.split()[0]) for line in listed} == {phone, laptop, backup}
    assert sum(line.endswith("192.0.2.0/24        curl/8.5.0") for line in listed) == 2
    assert sum(line.endswith("192.0.2.0/24        token backup") for line in listed) == 1
    done = await shell.run("user", "sessions", "ann", "--json")
    values = {value["sessionId"]: value for value in json.loads(done.out)}
    assert values[backup]["name"] == "backup"
    assert values[phone].keys() == {
        "sessionId",
        "name",
        "agent",
        "network",
        "createdAt",
        "lastUsedAt",
        "expiresAt",
    }
    assert await shell.run("user", "revoke", "ann", "--session", str(phone)) == (0, "1 session ended\n", "")
    for unknown in (str(phone), "0", "x"):
        said = f"regserver: account {number} has no session {unknown}\n"
        assert await shell.run("user", "revoke", "ann", "--session", unknown) == (1, "", said)
    assert await shell.run("user", "revoke", "ann", "--json") == (0, '{"ended":2}\n', "")
    assert await shell.run("user", "revoke", "ann") == (0, "0 sessions ended\n", "")


async def test_an_account_as_json(shell: Shell) -> None:
    number = await add(shell.folder)
    done = await shell.run("user", "show", "ann", "--json")
    assert json.loads(done.out) == {
        "number": number,
        "username": "Ann",
        "email": "ann@example.org",
        "userId": "reg1abcdefgh",
        "server": None,
        "door": "steps",
        "password": True,
        "waitsFor": None,
        "suspendedAt": None,
        "createdAt": "2020-09-13T12:26:40Z",
        "deletedAt": None,
        "erasedAt": None,
    }
