"""docs/deploy.md without the package: its blocks run as they stand, as root, on a copy of this system that is kept nowhere.

The executable is this very program; tests/packaging/binary.py tries the packed one. There is no systemd that runs, so systemctl
enables only, and what the units say is done by systemd-socket-activate.
"""

import re
import shutil
import sys
from pathlib import Path

from regserver import __version__
from tests.cli.test_migrate import NEWEST, older
from tests.packaging.overlay import in_overlay
from tests.peer.required import find_program
from tests.serving.conftest import certificate

__all__ = ["certificate"]

ROOT = Path(__file__).parents[2]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS: list[str] = CONSOLE.findall((ROOT / "docs" / "deploy.md").read_text("utf-8"))
CONFIGURATION = "/etc/regserver/regserver.toml"
PATIENTLY = "-sS --retry 20 --retry-connrefused --retry-delay 1"
SEEN = (ROOT, Path(sys.prefix), Path(sys.base_prefix))


def block(word: str) -> list[str]:
    """The lines of the one block that has this in it."""
    (found,) = [each for each in BLOCKS if word in each]
    return found.splitlines()


def offline(command: str) -> str:
    """The same where no systemd runs: what is enabled is not started."""
    assert command.startswith("systemctl enable --now ")
    return command.replace("--now", "--root=/")


def checkout(folder: Path) -> list[str]:
    """Makes a checkout in which `make binary` has run; the lines that install it."""
    shutil.copytree(ROOT / "systemd", folder / "systemd")
    (folder / "dist").mkdir()
    (folder / "dist" / "regserver").write_text(
        f'#!/bin/sh\nexport PYTHONPATH={ROOT}\nexec {sys.executable} -m regserver "$@"\n'
    )
    make, *install = block("regserver.sysusers")
    assert make == "make binary"
    return ["cd /packages", *install]


def test_it_is_installed_by_hand(tmp_path: Path) -> None:
    unit = (ROOT / "systemd" / "regserver.service").read_text()
    (program,) = re.findall(r"^ExecStart=(\S+) serve --config " + CONFIGURATION, unit, re.MULTILINE)
    check, enable, _ = block("regserver config check")
    told = in_overlay(
        tmp_path,
        (
            *checkout(tmp_path),
            f'echo "* $(stat -c "%U:%G %a" {program} {CONFIGURATION} | tr "\\n" " ")"',
            'echo "* $(id -gn regserver) $(getent passwd regserver | cut -d: -f6)"',
            "cd /",
            f'echo "* $({check})"',
            offline(enable),
            'echo "* $(systemctl --root=/ is-enabled regserver.service regserver.socket | tr "\\n" " ")"',
        ),
        SEEN,
    )
    assert told == [
        "* root:root 755 root:regserver 640 ",
        "* regserver /var/lib/regserver",
        f"* {CONFIGURATION}: fine",
        "* enabled disabled ",
    ]


def test_it_is_upgraded_by_hand(tmp_path: Path) -> None:
    """The database of an older version is brought up to date by the start, here as systemd would do it."""
    curl = find_program("curl", "curl")
    make, install, restart, look = block("systemctl restart regserver")
    assert (make, restart) == ("make binary", "systemctl restart regserver")
    older(tmp_path)
    told = in_overlay(
        tmp_path,
        (
            *checkout(tmp_path),
            "install -d -m 700 /var/lib/regserver",
            "install -m 600 test.db /var/lib/regserver/regserver.db",
            "install -m 600 test.key /var/lib/regserver/regserver.key",
            "echo old >/usr/local/bin/regserver",
            install,
            "cd /",
            "regserver serve 2>/packages/log &",
            f"{curl} {PATIENTLY} http://127.0.0.1:8080/health/alive >/dev/null || cat /packages/log >&2",
            f'echo "* $({look} | grep schema)"',
            'echo "* $(ls /var/lib/regserver | grep before)"',
        ),
        SEEN,
    )
    assert told == [
        f"* ok   store: /var/lib/regserver/regserver.db is whole, schema version {NEWEST}",
        f"* regserver.db.before-{NEWEST}",
    ]


def test_systemd_owns_the_port(tmp_path: Path, certificate: tuple[str, str]) -> None:
    """With a certificate and a key at the places that the document names; the unit of the socket says which port."""
    activate = find_program("systemd", "systemd-socket-activate")
    curl = find_program("curl", "curl")
    unit = (ROOT / "systemd" / "regserver.socket").read_text()
    (port,) = re.findall(r"^ListenStream=(\d+)$", unit, re.MULTILINE)
    for name, source in zip(("cert.pem", "key.pem"), certificate, strict=True):
        shutil.copy(source, tmp_path / name)
    stop, *keys, enable, start = block("enable --now regserver.socket")
    assert (stop, start) == ("systemctl stop regserver", "systemctl start regserver")
    settings = 'tls_cert = "/etc/regserver/cert.pem"\\ntls_key = "/etc/regserver/key.pem"'
    ask = f"{curl} {PATIENTLY} --cacert /packages/cert.pem"
    told = in_overlay(
        tmp_path,
        (
            *checkout(tmp_path),
            *keys,
            'echo "* $(stat -c "%U:%G %a" /etc/regserver/*.pem | tr "\\n" " ")"',
            f"sed -i 's,^data = .*,&\\n{settings},' {CONFIGURATION}",
            offline(enable),
            'echo "* $(systemctl --root=/ is-enabled regserver.socket)"',
            "mkdir -m 700 -p /var/lib/regserver",
            f"{activate} -l {port} /usr/local/bin/regserver serve --config {CONFIGURATION} 2>/packages/log &",
            f'echo "* $({ask} https://localhost/health/alive || cat /packages/log)"',
        ),
        SEEN,
    )
    assert told == [
        "* root:regserver 640 root:regserver 640 ",
        "* enabled",
        f'* {{"status":"alive","version":"{__version__}"}}',
    ]
