"""Packages from npm that the tests run against: each peer has a folder here with a package.json of exact versions."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "build" / "peer"
INSTALL = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")


def install_node_peer(peer: Path) -> Path:
    """Copies a peer's folder into build/ and installs its packages; the copy.

    Without node or npm the test is skipped, but with CI=true it fails: there everything must run.
    """
    built = BUILD / peer.name
    manifest = (peer / "package.json").read_text()
    installed = built / "node_modules" / ".installed"
    shutil.copytree(peer, built, dirs_exist_ok=True)
    if installed.is_file() and installed.read_text() == manifest:
        return built
    try:
        subprocess.run(INSTALL, cwd=built, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        reason = f"the packages of {peer.name} cannot be installed here: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    installed.write_text(manifest)
    return built
