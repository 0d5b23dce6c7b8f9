"""Generators of clients, as people run them on the OpenAPI document."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import trio

from tests.peer.node import install_node_peer

PEER = Path(__file__).parent / "generator"
EMITTING = ("--strict", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom,dom.iterable",
            "--module", "esnext", "--moduleResolution", "bundler")  # fmt: skip
OPTIONS = ("--noEmit", *EMITTING)


def generate_python(document: Path, target: Path) -> str:
    """Makes a package by openapi-python-client; returns what it printed, which is nothing but its beginning if all is well."""
    folder = Path(sys.executable).parent
    ran = subprocess.run(
        [str(folder / "openapi-python-client"), "generate", "--path", str(document), "--meta", "none",
         "--output-path", str(target), "--overwrite"],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True, timeout=120, check=False, text=True,
    )  # fmt: skip
    return ran.stdout + ran.stderr


async def typescript_faults(document: Path, url: str) -> str:
    """Makes types by openapi-typescript and a client by hey-api, compiles what uses them, and runs it; returns all complaints.

    url: of the server, at which story.mts registers, posts and reads.
    """
    built = install_node_peer(PEER)
    bin_ = built / "node_modules" / ".bin"
    shutil.copyfile(document, built / "openapi.json")
    for command in (
        [str(bin_ / "openapi-typescript"), "openapi.json", "-o", "openapi.ts"],
        [str(bin_ / "openapi-ts"), "-i", "openapi.json", "-o", "sdk", "--no-log-file"],
        [str(bin_ / "tsc"), *OPTIONS, "use.ts"],
        [str(bin_ / "tsc"), *EMITTING, "story.mts"],
        ["node", "story.mjs", url],
    ):
        ran = await trio.run_process(
            command, cwd=built, capture_stdout=True, stderr=subprocess.STDOUT, check=False
        )
        printed = ran.stdout.decode()
        if ran.returncode != 0 or "warn" in printed.lower():
            return printed
    return ""
