"""Makes the Debian package: `python packaging/deb.py EXECUTABLE TARGET`, in an environment with regserver.

The executable, units, configuration, manual, completion, documents and monitoring rules; the scripts are in packaging/debian. By
dpkg-deb alone: debhelper would build what is built already.
"""

import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from manual import completion, manual

from regserver import __version__
from regserver.cli.config import annotated

ROOT = Path(__file__).parents[1]
ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "armhf",
    "i686": "i386",
    "riscv64": "riscv64",
}
CONTROL = """\
Package: regserver
Version: {version}
Architecture: {architecture}
Maintainer: The regserver authors <regserver@localhost>
Installed-Size: {size}
Depends: libc6 (>= 2.36), systemd | systemd-standalone-sysusers
Recommends: ca-certificates, systemd
Section: net
Priority: optional
Description: registration server for people who host their own services
 Live sign-up, rooms, registration steps and a directory behind one port,
 with accounts, mail, passkeys and a web page.
"""


def build(executable: Path, target: Path, version: str = __version__) -> None:
    """Writes the package."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _fill(tree, executable, version)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(target)],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _fill(tree: Path, executable: Path, version: str) -> None:
    units, documents = ROOT / "systemd", tree / "usr/share/doc/regserver"
    _copy(executable, tree / "usr/bin/regserver", 0o755)
    for name in ("regserver.service", "regserver.socket"):
        text = (units / name).read_text("utf-8").replace("/usr/local/bin/regserver", "/usr/bin/regserver")
        _write(tree / "usr/lib/systemd/system" / name, text.encode())
    _copy(units / "regserver.sysusers", tree / "usr/lib/sysusers.d/regserver.conf")
    _copy(units / "regserver.toml", tree / "etc/regserver/regserver.toml", 0o640)
    _write(tree / "usr/share/man/man1/regserver.1.gz", _packed(manual().encode()))
    _write(tree / "usr/share/bash-completion/completions/regserver", completion().encode())
    _copy(ROOT / "LICENSE", documents / "copyright")
    _write(documents / "changelog.gz", _packed((ROOT / "CHANGELOG.md").read_bytes()))
    _write(documents / "regserver.toml", annotated().encode())
    for path in sorted((ROOT / "docs").glob("*.md")):
        _copy(path, documents / "docs" / path.name)
    for path in sorted((ROOT / "config" / "monitoring").iterdir()):
        _copy(path, documents / "monitoring" / path.name)
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
    architecture = ARCHITECTURES[platform.machine()]
    control = CONTROL.format(version=version, architecture=architecture, size=size)
    _write(tree / "DEBIAN/control", control.encode())
    _write(tree / "DEBIAN/conffiles", b"/etc/regserver/regserver.toml\n")
    for script in ("postinst", "prerm", "postrm"):
        _copy(ROOT / "packaging" / "debian" / script, tree / "DEBIAN" / script, 0o755)


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _copy(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    target.chmod(0o644)


if __name__ == "__main__":
    os.umask(0o022)
    build(Path(sys.argv[1]), Path(sys.argv[2]))
