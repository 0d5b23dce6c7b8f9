"""The command line as a person uses it, in this process: real files, real arguments, what was printed."""

from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from regserver.cli import run


class Done(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands on the store in `folder`, each in a thread, as it runs an event loop of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    async def run(self, *arguments: str, settings: tuple[str, ...] = ()) -> Done:
        """settings: as section.key=value, beside the place of the store."""
        given = (f"store.url=sqlite:{self.folder / 'test.db'}", *settings)
        options = [word for setting in given for word in ("--set", setting)]
        return await self.run_bare(*arguments, *options)

    async def run_bare(self, *arguments: str) -> Done:
        """Runs the arguments as they are."""
        self._capture.readouterr()
        try:
            code = await trio.to_thread.run_sync(run, arguments)
        except SystemExit as leaving:  # of argparse
            code = int(leaving.code or 0)
        printed = self._capture.readouterr()
        return Done(code, printed.out, printed.err)
