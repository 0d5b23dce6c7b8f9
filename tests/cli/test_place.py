"""Where commands find the state: from the configuration alone, whatever the working directory is."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from regserver.adapters.server_key import load_server_key
from regserver.store.sqlite import migrate
from tests.cli.test_command import USES
from tests.fake import EPOCH
from tests.system.server import open_server, run_command, sign_up

ON_THE_STORE: dict[str, tuple[str, ...]] = {
    "migrate": ("migrate",),
    "ledger": ("ledger", "verify"),
    "mail": ("mail", "list"),
    "user": ("user", "show", "ann"),
    "invite": ("invite", "list"),
    "steps": ("steps", "show", "+380000000000"),
    "backup": ("backup", "{archive}"),
    "restore": ("restore", "{archive}", "--force"),
    "doctor": ("doctor",),
    "audit": ("audit", "verify"),
    "key": ("key", "list"),
    "room": ("room", "list"),
    "webhook": ("webhook", "list"),
}
"""Each command that reads or writes the state."""


def test_every_command_on_the_state_is_here() -> None:
    of_the_server = {"server", "limit", "reload"}
    elsewhere = of_the_server | {"serve", "config", "source", "version", "password", "try", "store"}
    assert USES.keys() - elsewhere == ON_THE_STORE.keys()


def configure(folder: Path, text: str = "") -> Path:
    """A configuration file in a folder of its own; its path."""
    folder.mkdir(exist_ok=True)
    file = folder / "regserver.toml"
    file.write_text(text + '\n[live]\nsource = "none"\n')
    return file


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


@pytest.mark.parametrize("data", ["", "state", "{absolute}"])
async def test_every_command_finds_the_same_store_from_every_folder(tmp_path: Path, data: str) -> None:
    folder = {"": tmp_path / "etc", "state": tmp_path / "etc/state"}.get(data, tmp_path / "var")
    file = configure(
        tmp_path / "etc", f'[server]\nbind = ["127.0.0.1:0"]\ndata = "{data.format(absolute=folder)}"'
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # A database that somebody has here is nobody's business.
    (elsewhere / "regserver.db").write_bytes(b"another one")
    settings = [f"store.url=sqlite:{folder / 'regserver.db'}"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        await sign_up(client, "ann")
    archive = str(tmp_path / "b.tar")
    before = listing(elsewhere)
    for words in ON_THE_STORE.values():
        command = [word.format(archive=archive) for word in words]
        done = await run_command(*command, "--config", str(file), folder=elsewhere)
        assert (done.returncode, done.stderr) == (0, b""), (command, done)
        assert "user" not in words or b"ann@example.org" in done.stdout
        assert listing(elsewhere) == before, command
    assert (folder / "regserver.db.old").is_file()


async def test_the_key_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    file = configure(tmp_path / "etc", '[server]\ndata = "../var"\nkey = "../secrets/key"')
    settings = [f"store.url=sqlite:{tmp_path}/var/regserver.db", f"server.key={tmp_path}/secrets/key"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        await sign_up(client, "ann")
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == {"key"}
    assert not (tmp_path / "var" / "regserver.key").exists()
    key = (tmp_path / "secrets" / "key").read_bytes()
    options = ("--config", str(file))
    assert (await run_command("backup", "b.tar", *options, folder=tmp_path)).returncode == 0
    (tmp_path / "secrets" / "key").write_bytes(bytes(32))
    done = await run_command("restore", "b.tar", "--force", *options, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "secrets" / "key").read_bytes() == key
    assert (tmp_path / "secrets" / "key.old").read_bytes() == bytes(32)


async def test_without_an_option_the_file_of_this_folder_is_read(tmp_path: Path) -> None:
    configure(tmp_path, '[server]\ndata = "state"')
    (tmp_path / "state").mkdir()
    done = await run_command("migrate", folder=tmp_path)
    assert done.stdout.startswith(f"{tmp_path}/state/regserver.db: schema version ".encode())


async def test_other_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    """Of certificates, sockets, the roster and the authority of the mail server."""
    text = '[server]\ntls_cert = "c.pem"\ntls_key = "k.pem"\nbind = ["unix:no/s.sock"]'
    file = tmp_path / "etc" / "regserver.toml"
    file.parent.mkdir()
    file.write_text(f'{text}\ndata = "../var"\n[live.file]\npath = "people.toml"\n')
    done = await run_command("doctor", "--config", str(file), folder=tmp_path)
    told = done.stdout.decode()
    for name in ("c.pem", "no/s.sock", "people.toml"):
        assert f"{file.parent}/{name}" in told


# --- state of older versions, which looked in the working directory
def left_by_an_older_version(folder: Path) -> None:
    folder.mkdir()
    migrate(folder / "regserver.db", EPOCH)
    load_server_key(folder / "regserver.key")


@pytest.mark.parametrize("words", [("serve",), *ON_THE_STORE.values()])
async def test_the_state_of_an_older_version_is_named_with_the_line_to_add(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    file, data = configure(tmp_path / "etc"), tmp_path / "var"
    left_by_an_older_version(data)
    before = listing(data)
    command = [word.format(archive="b.tar") for word in words]
    if words[0] == "restore":
        (data / "b.tar").write_bytes(b"")
        before = listing(data)
    done = await run_command(*command, "--config", str(file), folder=data)
    line = f'data = "{data}"'
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == (1 if words == ("doctor",) else 2), told
    assert f"the database is {data}/regserver.db" in told
    assert f"add the line {line} below [server]" in told
    assert listing(data) == before
    assert {path.name for path in file.parent.iterdir()} == {"regserver.toml"}


async def test_with_that_line_it_is_used(tmp_path: Path) -> None:
    data = tmp_path / "var"
    left_by_an_older_version(data)
    file = configure(tmp_path / "etc", f'[server]\ndata = "{data}"')
    for folder in (data, tmp_path):
        done = await run_command("ledger", "verify", "--config", str(file), folder=folder)
        assert (done.returncode, done.stdout.startswith(f"{data}/regserver.db: ".encode())) == (0, True)


async def test_what_is_in_the_working_directory_is_nothing_where_a_server_has_its_state(
    tmp_path: Path,
) -> None:
    file = configure(tmp_path / "etc")
    migrate(file.parent / "regserver.db", EPOCH)
    load_server_key(file.parent / "regserver.key")
    left_by_an_older_version(tmp_path / "var")
    done = await run_command("ledger", "verify", "--config", str(file), folder=tmp_path / "var")
    assert (done.returncode, done.stdout.startswith(f"{file.parent}/".encode())) == (0, True)


async def test_a_missing_database_is_named_whole_with_the_setting(tmp_path: Path) -> None:
    file = configure(tmp_path / "etc")
    done = await run_command("mail", "list", "--config", str(file), folder=tmp_path)
    said = (
        f"regserver: {file.parent}/regserver.db: no such database; server.data says in which folder it is\n"
    )
    assert (done.returncode, done.stderr.decode()) == (1, said)


def people(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [name for (name,) in connection.execute("SELECT username FROM account ORDER BY id")]


async def test_a_link_to_the_database_is_followed(tmp_path: Path) -> None:
    """As systemd has one for the state of a service with a dynamic user."""
    (tmp_path / "private").mkdir()
    os.symlink("private", tmp_path / "var")
    settings = [f"server.data={tmp_path}/var", "store.url=sqlite:regserver.db"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        await sign_up(client, "ann")
    assert people(tmp_path / "private" / "regserver.db") == ["ann"]
