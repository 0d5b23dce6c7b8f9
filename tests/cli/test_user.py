"""`regserver user`: an account by each of its names, without its secrets; deleted and restored while no server runs."""

from pathlib import Path

import pytest

from regserver.domain.account import NewAccount
from regserver.domain.instant import Instant
from regserver.service.add_account import add_account
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


@pytest.mark.parametrize("arguments", [("show",), ("delete",), ("erase", "ann"), ("show", "ann", "bob")])
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
