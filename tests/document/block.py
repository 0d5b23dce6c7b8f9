"""Blocks of code in docs/, and how each is run: as a whole program, with the server's address in URL."""

import os
import re
import sys
from pathlib import Path

import httpx
import msgspec
import trio

from tests.peer.node import install_node_peer
from tests.peer.required import find_program
from tests.sdk.client import PEER
from tests.system.server import ROOT

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
PATIENCE_SECONDS = 60


class CodeBlock(msgspec.Struct, frozen=True):
    """One block. heading: that it stands below. printed: what the document says that it prints, … for anything; None where it says nothing."""

    document: str
    heading: str
    number: int
    language: str
    code: str
    printed: str | None

    @property
    def name(self) -> str:
        """For the name of a test."""
        return f"{self.heading}-{self.language}-{self.number}"


def blocks(document: str) -> list[CodeBlock]:
    """The blocks of a document, in its order, without what a program prints."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    found: list[CodeBlock] = []
    for number, match in enumerate(BLOCK.finditer(text)):
        headings = re.findall(r"^#+ (.*)$", text[: match.start()], re.MULTILINE)
        language, code, printed = match.groups()
        found.append(CodeBlock(document, headings[-1], number, language, code, printed))
    return found


async def prepare(folder: Path, url: str) -> None:
    """Puts what the blocks import beside them."""
    built = install_node_peer(PEER)
    await trio.Path(folder / "node_modules").symlink_to(built / "node_modules")
    async with httpx.AsyncClient() as http:
        for name in ("sdk.js", "sdk.mjs"):
            await trio.Path(folder / name).write_text((await http.get(f"{url}/sdk.js")).text)


async def run(block: CodeBlock, folder: Path, url: str) -> str:
    """What it prints. Fails when it does."""
    program = {"sh": "bash", "js": "node", "python": sys.executable}[block.language]
    ending = {"sh": "sh", "js": "mjs", "python": "py"}[block.language]
    path = folder / f"block-{block.number}.{ending}"
    await trio.Path(path).write_text(block.code)
    words = [find_program(program, program), *(["-eu"] if block.language == "sh" else []), str(path)]
    variables = {**os.environ, "URL": url, "PYTHONPATH": str(ROOT)}
    with trio.fail_after(PATIENCE_SECONDS):
        done = await trio.run_process(
            words, cwd=folder, env=variables, capture_stdout=True, capture_stderr=True, check=False
        )
    printed = done.stdout.decode()
    assert done.returncode == 0, f"{block.name}: {printed}{done.stderr.decode()}"
    return printed


def check(block: CodeBlock, printed: str) -> None:
    """Fails unless it has printed what the document says."""
    assert re.fullmatch(_pattern(block.printed or ""), printed), f"{block.name} printed\n{printed}"


def _pattern(printed: str) -> str:
    """What the document says that is printed, as a regular expression: a line of … alone stands for any lines."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r" *\n"
        for line in printed.splitlines()
    ]
    return "".join(lines)
