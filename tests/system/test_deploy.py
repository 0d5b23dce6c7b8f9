"""docs/deploy.md: its configuration is one, its commands are there, and so are the files that it installs."""

import re
from pathlib import Path

import pytest

from regserver.cli import COMMANDS
from regserver.config import load
from tests.system.server import ROOT

DOCUMENT = (ROOT / "docs" / "deploy.md").read_text("utf-8")
CONSOLE = "".join(re.findall(r"^```console\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL))


def test_its_configuration_is_right(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    file = tmp_path / "regserver.toml"
    file.write_text(text)
    settings = load(file, (), {}).settings
    assert settings.server.public_url == "https://reg.example.org"
    assert settings.backup.every


def test_its_commands_are_there() -> None:
    named = set(re.findall(r"^regserver (\w+)", CONSOLE, re.MULTILINE))
    assert {"doctor", "backup", "restore", "mail", "config"} <= named <= set(COMMANDS)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"^make (\S+)", CONSOLE, re.MULTILINE)) <= set(targets)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?<![/\w])systemd/\S*\w", CONSOLE))))
def test_its_files_are_there(name: str) -> None:
    assert (ROOT / name).is_file()
