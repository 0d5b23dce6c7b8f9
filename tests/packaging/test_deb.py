"""The Debian package, installed, upgraded, removed and purged by dpkg on this very system, whose changes go into an overlay.

What it installs is a script here; tests/packaging/binary.py tries the executable.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from regserver.cli import COMMANDS
from tests.packaging.overlay import in_overlay
from tests.peer.required import find_program

ROOT = Path(__file__).parents[2]
BUILD = """
import sys
sys.path.insert(0, {packaging!r})
import deb
from pathlib import Path
for version in ("1.0", "1.1"):
    program = Path({folder!r}) / f"program-{{version}}"
    program.write_text(f"#!/bin/sh\\necho {{version}} $0\\n")
    deb.build(program, Path({folder!r}) / f"{{version}}.deb", version)
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two versions of the package."""
    find_program("dpkg", "dpkg-deb")
    folder = tmp_path_factory.mktemp("deb")
    script = BUILD.format(packaging=str(ROOT / "packaging"), folder=str(folder))
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
    return folder


def test_a_life_of_the_package(packages: Path) -> None:
    configuration = "/etc/regserver/regserver.toml"
    told = in_overlay(
        packages,
        (
            # Its dependencies are those of Debian 12; other systems that run this test may lack one.
            "dpkg --force-depends -i /packages/1.0.deb >/dev/null",
            'echo "* $(regserver)"',
            f'echo "* $(stat -c "%U:%G %a" {configuration} /etc/regserver | tr "\\n" " ")"',
            'echo "* $(id -un regserver) $(getent passwd regserver | cut -d: -f6)"',
            f'echo "# mine" >>{configuration}',
            "mkdir -p /var/lib/regserver; echo people >/var/lib/regserver/regserver.db",
            "dpkg --force-depends --force-confold -i /packages/1.1.deb >/dev/null",
            'echo "* $(regserver)"',
            f'echo "* $(tail -n 1 {configuration}) $(stat -c "%U:%G %a" {configuration})"',
            "dpkg -r regserver >/dev/null",
            f'echo "* $(command -v regserver || echo gone) $(tail -n 1 {configuration})"',
            'echo "* $(dpkg -P regserver | grep still)"',
            'echo "* $(ls -d /etc/regserver 2>/dev/null || echo gone) $(cat /var/lib/regserver/regserver.db)"',
        ),
    )
    assert told == [
        "* 1.0 /usr/bin/regserver",
        "* root:regserver 640 root:regserver 750 ",
        "* regserver /var/lib/regserver",
        "* 1.1 /usr/bin/regserver",
        "* # mine root:regserver 640",
        "* gone # mine",
        "* regserver: the accounts and the key are still in /var/lib/regserver; remove it by hand",
        "* gone people",
    ]


def contents(packages: Path) -> Path:
    tree = packages / "tree"
    if not tree.exists():
        subprocess.run(["dpkg-deb", "-x", packages / "1.0.deb", tree], check=True)
    return tree


def test_the_unit_runs_what_is_installed(packages: Path) -> None:
    tree = contents(packages)
    unit = (tree / "usr/lib/systemd/system/regserver.service").read_text()
    (program,) = re.findall(r"^ExecStart=(\S+) serve --config (?:\S+)$", unit, re.MULTILINE)
    assert (tree / program.lstrip("/")).stat().st_mode & 0o111
    assert "# " in (tree / "usr/share/doc/regserver/regserver.toml").read_text()


def test_the_manual_has_every_command(packages: Path) -> None:
    groff = find_program("groff", "groff")
    page = contents(packages) / "usr/share/man/man1/regserver.1.gz"
    text = subprocess.run(["zcat", page], capture_output=True, text=True, check=True).stdout
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    for name in COMMANDS:
        assert f"regserver {name}".replace("-", "\\-") in text


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["regserver", "doc"], {"doctor"}),
        (["regserver", "doctor", "--s"], {"--set", "--strict"}),
        (["regserver", "config", "ch"], {"check"}),
    ],
)
def test_the_completion(packages: Path, words: list[str], offered: set[str]) -> None:
    script = contents(packages) / "usr/share/bash-completion/completions/regserver"
    array = " ".join(words)
    lines = (
        f'. {script}; COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _regserver; echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", lines],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert set(done.stdout.split()) == offered
