"""What all commands have in common: help, exit codes, and one line for what went wrong."""

import gc
import json

import pytest

from regserver import __version__
from regserver.cli import COMMANDS
from tests.cli.shell import Shell

USES: dict[str, tuple[str, ...]] = {
    "serve": (),
    "config": ("check",),
    "mail": ("list",),
    "doctor": (),
    "backup": ("x.tar",),
    "restore": ("x.tar",),
    "migrate": (),
    "store": ("copy", "--to", "postgresql://127.0.0.1:1/x"),
    "ledger": ("verify",),
    "steps": ("show", "+380000000000"),
    "invite": ("list",),
    "user": ("show", "ann"),
    "webhook": ("list",),
    "room": ("list",),
    "key": ("list",),
    "audit": ("list",),
    "limit": ("list",),
    "server": ("show",),
    "reload": (),
    "password": ("hash",),
    "try": (),
    "source": ("try", "ann"),
    "version": (),
}
"""A right use of each command."""


def test_every_command_is_in_these_tests() -> None:
    assert USES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_command_has_help(shell: Shell, name: str) -> None:
    done = await shell.run_bare(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: regserver {name}")
    for option in ("--config FILE", "--set SECTION.KEY=VALUE"):
        assert option in done.out


@pytest.mark.parametrize("name", sorted(USES.keys() - {"serve"}))
async def test_every_command_that_shows_something_has_json(shell: Shell, name: str) -> None:
    assert "--json" in (await shell.run_bare(name, "--help")).out


async def test_the_help_lists_every_command(shell: Shell) -> None:
    done = await shell.run_bare("--help")
    assert done.code == 0
    for name in COMMANDS:
        assert f"\n    {name} " in done.out


@pytest.mark.parametrize(
    "arguments", [(), ("nonsense",), ("--nonsense",), *((name, "--nonsense") for name in USES)]
)
async def test_wrong_usage_exits_with_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = await shell.run_bare(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "usage: regserver" in done.err


@pytest.mark.parametrize("name", sorted(USES.keys() - {"version"}))
async def test_a_wrong_setting_exits_with_2_and_one_line(shell: Shell, name: str) -> None:
    done = await shell.run(name, *USES[name], settings=("live.deadlin=1s",))
    said = "regserver: --set live.deadlin: unknown key; did you mean live.deadline?\n"
    assert done == (2, "", said)


@pytest.mark.parametrize("name", sorted(USES.keys() - {"version"}))
async def test_every_command_refuses_a_shared_store_without_a_key_of_its_own(shell: Shell, name: str) -> None:
    done = await shell.run(name, *USES[name], settings=("store.url=postgresql://db/x",))
    said = "expected server.key beside PostgreSQL: the file of the server's key, the same on every node"
    assert done == (2, "", f"regserver: --set store.url: {said}\n")


@pytest.mark.parametrize("name", ["invite", "ledger", "mail", "migrate", "steps", "user"])
async def test_commands_on_a_database_that_does_not_answer(shell: Shell, name: str) -> None:
    away = "store.url=postgresql://ann:s3cret%40@127.0.0.1:1/x"
    done = await shell.run(name, *USES[name], settings=(away, "server.key=key"))
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("regserver: PostgreSQL: ")
    assert "refused" in done.err
    assert "s3cret" not in done.err


@pytest.mark.parametrize("name", ["invite", "ledger", "mail", "steps", "user", "webhook"])
async def test_commands_on_a_store_that_is_not_there(shell: Shell, name: str) -> None:
    done = await shell.run(name, *USES[name])
    assert done == (1, "", f"regserver: {shell.folder / 'test.db'}: no such database\n")
    assert list(shell.folder.iterdir()) == []


async def test_a_file_of_settings_that_is_not_there(shell: Shell) -> None:
    done = await shell.run_bare("user", "show", "ann", "--config", "nowhere.toml")
    assert done == (2, "", "regserver: nowhere.toml: cannot be read: No such file or directory\n")


async def test_a_setting_without_a_value(shell: Shell) -> None:
    done = await shell.run_bare("migrate", "--set", "log.level")
    assert done == (2, "", "regserver: --set log.level: expected section.key=value\n")


@pytest.mark.parametrize("word", ["version", "--version"])
async def test_version(shell: Shell, word: str) -> None:
    done = await shell.run_bare(word)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"regserver {__version__} (Python 3.")
    assert json.loads((await shell.run_bare(word, "--json")).out)["version"] == __version__


async def test_the_collector_runs_again_when_the_command_does(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry of the program stops it while modules are imported."""
    ran: list[bool] = []
    monkeypatch.setattr("regserver.cli.version.run", lambda chosen: ran.append(gc.isenabled()))
    gc.disable()
    try:
        assert (await shell.run_bare("version")).code == 0
    finally:
        gc.unfreeze()
        gc.enable()
    assert ran == [True]


@pytest.mark.parametrize("option", ["--limit", "--before", "--account"])
async def test_a_number_that_is_none_is_wrong_usage(shell: Shell, option: str) -> None:
    done = await shell.run("audit", "list", option, "0")
    assert done == (2, "", f"regserver: {option}: expected a number from 1 on\n")


async def test_a_build_without_ripemd160_does_not_serve(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regserver.cli.serve.has_ripemd160", lambda: False)
    done = await shell.run("serve")
    assert done.code == 1
    assert done.err.startswith("regserver: this build of OpenSSL has no RIPEMD-160")
    assert list(shell.folder.iterdir()) == []
