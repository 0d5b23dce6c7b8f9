"""Packages from npm that the tests run against: each peer has a folder here with a package.json of exact versions."""

import shutil
import subprocess
from pathlib import Path

from tests.peer.required import find_program, report_missing

BUILD = Path(__file__).parents[2] / "build" / "peer"
INSTALL = ("install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")


def install_node_peer(peer: Path) -> Path:
    """Copies a peer's folder into build/, installs its packages there, and returns the copy."""
    npm = find_program("npm", "npm")
    built = BUILD / peer.name
    manifest = (peer / "package.json").read_text()
    installed = built / "node_modules" / ".installed"
    shutil.copytree(peer, built, dirs_exist_ok=True)
    if installed.is_file() and installed.read_text() == manifest:
        return built
    try:
        subprocess.run([npm, *INSTALL], cwd=built, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        report_missing(f"the packages of {peer.name} cannot be installed: {error}")
    installed.write_text(manifest)
    return built
