"""A server on the embedded default, opened in a process of its own, has loaded nothing that it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

NOT_NEEDED = (
    "quart",
    "quart_trio",
    "flask",
    "hypercorn",
    "asyncio",
    "psycopg",
    "httpx",
    "h2",
    "httpcore",
    "multiprocessing",
    "cryptography",
    "fido2",
    "dns",
    "jinja2",
    "phonenumbers",
)

OPENED = """
import sys
import regserver.cli.serve
import trio
from regserver.app import open_app
from regserver.config import Loaded, Settings

async def main():
    async with open_app(Loaded(Settings(), None)):
        print(*sys.modules, sep="\\n")

trio.run(main)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder: Path = tmp_path_factory.mktemp("idle")
    ran = subprocess.run(
        [sys.executable, "-c", OPENED], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("library", NOT_NEEDED)
def test_an_idle_server_has_not_loaded(loaded: set[str], library: str) -> None:
    assert "regserver.app.server" in loaded
    assert library not in loaded
