"""The commands of docs/operate.md, as they stand there, on a server as the document describes it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import bcrypt
import httpx
import trio

from regserver.store.migration import migrations
from tests.store.test_upgrade import fill
from tests.system.server import ROOT, open_server, sign_up
from tests.system.test_readme import SCRIPT

DOCUMENT = (ROOT / "docs" / "operate.md").read_text("utf-8")
SALT = bcrypt.gensalt(4)
NEWEST = migrations()[-1].number


class Host:
    """A machine with `regserver` in its PATH and one configuration."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "var"
        self.file = folder / "etc" / "regserver.toml"
        self.file.parent.mkdir()
        self.data.mkdir()
        self.file.write_text(
            f'[server]\nbind = ["127.0.0.1:0"]\ndata = "{self.data}"\n[live]\nsource = "none"\n'
        )
        self.settings = [f"store.url=sqlite:{self.data / 'regserver.db'}"]
        self._home = folder / "home"
        self._home.mkdir()
        program = folder / "bin" / "regserver"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m regserver "$@" --config {self.file}\n')
        program.chmod(0o755)
        self._path = f"{program.parent}:{os.environ['PATH']}"

    def write(self, name: str, text: str) -> None:
        """Writes a file where lines are pasted."""
        (self._home / name).write_text(text, "utf-8")

    async def paste(self, script: str) -> "subprocess.CompletedProcess[bytes]":
        """Runs lines in a folder that has nothing to do with the server."""
        with trio.fail_after(60):
            return await trio.run_process(
                ["bash", "-euc", script],
                cwd=self._home,
                env={**os.environ, "PATH": self._path, "PYTHONPATH": str(ROOT)},
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )


def blocks() -> dict[str, str]:
    """The document's commands by their first line."""
    found = SCRIPT.findall(DOCUMENT)
    return {block.splitlines()[0]: block for block in found}


async def import_cleo(host: Host, block: str, client: httpx.AsyncClient) -> None:
    """The line of the document, with a real hash, beside the running server."""
    (line,) = re.findall(r"^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    line = line.replace("ada", "cleo")  # whom the roster does not have
    host.write("people.jsonl", line.replace("$2b$12$…", bcrypt.hashpw(b"correct horse", SALT).decode()))
    done = await host.paste(block)
    assert done.stdout.startswith(b"1 would be imported")
    done = await host.paste(block.replace(" --dry-run", ""))
    assert (done.returncode, done.stdout.decode()) == (
        0,
        "1 imported, 0 imported by an earlier run, 0 refused\n",
    )
    for username in ("cleo", "cleo@example.org"):
        body = {"username": username, "password": "correct horse"}
        assert (await client.post("/login", json=body)).status_code == 200


async def test_a_backup_elsewhere(tmp_path: Path) -> None:
    host = Host(tmp_path)
    async with open_server(tmp_path, host.settings) as server, server.client() as client:
        await sign_up(client, "ann")
        done = await host.paste(blocks()["regserver backup - | cat >elsewhere.tar"])
    assert (done.returncode, b"elsewhere.tar: whole, made 20" in done.stdout) == (0, True)


async def test_a_running_server_makes_backups(tmp_path: Path) -> None:
    settings = ("backup.every=24h", "store.min_free=0B", "backup.folder=kept")
    async with (
        open_server(tmp_path, [*settings, f"server.data={tmp_path}"]) as server,
        server.client() as client,
    ):
        said = await server.wait_line(lambda line: line["message"].startswith("backup regserver-"))
        assert (await client.get("/health/ready")).json()["parts"]["backup"] == "ok"
        metrics = (await client.get("/metrics")).text
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name == said["message"].split()[1]
    assert 'regserver_backups_total{outcome="made"} 1.0' in metrics
    assert f"regserver_backup_newest_bytes {float(kept.stat().st_size)}" in metrics


async def test_a_backup_and_its_restore(tmp_path: Path) -> None:
    host, block = Host(tmp_path), blocks()
    async with open_server(tmp_path, host.settings) as server, server.client() as client:
        await sign_up(client, "ann")
        done = await host.paste(block["regserver backup before.tar"])
        assert (done.returncode, done.stderr) == (0, b"")
        await sign_up(client, "bob")
        await import_cleo(host, block["regserver user import people.jsonl --dry-run"], client)
        done = await host.paste(block["regserver restore before.tar --force"])
        assert (done.returncode, f"in use by process {server.process.pid}" in done.stderr.decode()) == (
            1,
            True,
        )
    done = await host.paste(block["regserver restore before.tar --force"])
    assert (done.returncode, done.stderr) == (0, b"")
    assert (await host.paste("regserver user show ann")).returncode == 0
    assert (await host.paste("regserver user show bob")).returncode == 1


async def test_a_new_version_and_the_way_back(tmp_path: Path) -> None:
    host, block = Host(tmp_path), blocks()
    fill(host.data / "regserver.db", NEWEST - 1)
    done = await host.paste(block["regserver migrate"])
    assert (done.returncode, done.stdout.decode()) == (
        0,
        f"{host.data}/regserver.db: schema version {NEWEST}\n",
    )
    assert (host.data / f"regserver.db.before-{NEWEST}").is_file()
    done = await host.paste(block["regserver migrate --rollback"])
    assert (done.returncode, f"schema version {NEWEST - 1} again" in done.stdout.decode()) == (0, True)


RUN_ABOVE = frozenset(
    {
        "regserver backup before.tar",
        "regserver backup - | cat >elsewhere.tar",
        "regserver restore before.tar --force",
        "regserver user import people.jsonl --dry-run",
        "regserver migrate",
        "regserver migrate --rollback",
    }
)


async def test_the_other_commands(tmp_path: Path) -> None:
    """A key for an operator, and the checks; with those above, all that the document has."""
    host, block = Host(tmp_path), blocks()
    others = {"regserver key create anna --role support", "regserver doctor"}
    assert set(block) == RUN_ABOVE | others
    async with open_server(tmp_path, host.settings):
        made = await host.paste(block["regserver key create anna --role support"])
        assert (made.returncode, made.stdout.startswith(b"regs_op_")) == (0, True)
        checked = await host.paste(block["regserver doctor"])
        assert b"ok   store" in checked.stdout
        assert b"FAIL store" not in checked.stdout
