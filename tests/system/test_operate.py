"""The commands of docs/operate.md, as they stand there, on a server as the document describes it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import trio

from regserver.store.migration import migrations
from tests.store.test_upgrade import fill
from tests.system.server import ROOT, open_server, sign_up
from tests.system.test_readme import SCRIPT

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
    found = SCRIPT.findall((ROOT / "docs" / "operate.md").read_text("utf-8"))
    return {block.splitlines()[0]: block for block in found}


async def test_a_backup_and_its_restore(tmp_path: Path) -> None:
    host, block = Host(tmp_path), blocks()
    async with open_server(tmp_path, host.settings) as server, server.client() as client:
        await sign_up(client, "ann")
        done = await host.paste(block["regserver backup before.tar"])
        assert (done.returncode, done.stderr) == (0, b"")
        await sign_up(client, "bob")
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


def test_every_path_of_the_installation_is_there() -> None:
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    (console,) = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    named = re.findall(r"(?<!/)\bsystemd/[\w.]+", console)
    assert len(named) == 3
    assert [name for name in named if not (ROOT / name).is_file()] == []
