"""Scripts that run in Node beside a test, which reads what they print."""

import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

PATIENCE_SECONDS = 20


class Script:
    """A running script. printed: all of it so far, errors too."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self.printed = ""

    async def wait_for(self, pattern: str) -> str:
        """Waits until it has printed something that matches; fails when it ends before."""
        assert self._process.stdout is not None
        with trio.fail_after(PATIENCE_SECONDS):
            while (found := re.search(pattern, self.printed)) is None:
                piece = await self._process.stdout.receive_some()
                assert piece, f"the script ended:\n{self.printed}"
                self.printed += piece.decode()
        return found.group()


@asynccontextmanager
async def running_script(folder: Path, text: str) -> AsyncIterator[Script]:
    """Runs a script in the folder, as long as the body."""
    path = folder / f"example-{os.getpid()}.mjs"
    await trio.Path(path).write_text(text)
    process = await trio.lowlevel.open_process(
        ["node", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
    )
    try:
        yield Script(process)
    finally:
        process.kill()
        await process.wait()
        path.unlink()
