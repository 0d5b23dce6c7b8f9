"""Packages from npm that the tests run against: each peer has a folder here with a package.json of exact versions."""

import fcntl
import filecmp
import shutil
import subprocess
from pathlib import Path

from tests.peer.required import find_program, report_missing

BUILD = Path(__file__).parents[2] / "build" / "peer"
INSTALL = ("install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")


def install_node_peer(peer: Path) -> Path:
    """Copies a peer's folder into build/, installs its packages there, and returns the copy. One process at a time does."""
    npm = find_program("npm", "npm")
    built = BUILD / peer.name
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{peer.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(npm, peer, built)
    return built


def _install(npm: str, peer: Path, built: Path) -> None:
    manifest = (peer / "package.json").read_text()
    installed = built / "node_modules" / ".installed"
    shutil.copytree(peer, built, dirs_exist_ok=True, copy_function=_copy)
    if installed.is_file() and installed.read_text() == manifest:
        return
    try:
        subprocess.run([npm, *INSTALL], cwd=built, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        report_missing(f"the packages of {peer.name} cannot be installed: {error}")
    installed.write_text(manifest)


def _copy(source: str, target: str) -> None:
    """What is the same already stays: another process may be reading it."""
    if not Path(target).is_file() or not filecmp.cmp(source, target, shallow=False):
        shutil.copy2(source, target)
