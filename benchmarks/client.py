"""Clients of a measurement as processes on their own core. What they find they say in lines of JSON."""

import contextlib
import json
import subprocess
from collections.abc import Iterator

from benchmarks.process import CLIENT_CORE, ROOT, Words, on_core, raise_descriptor_limit
from benchmarks.table import Figures


class Client:
    """A client that runs. Some stop after a line until they are told to go on."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def read(self) -> Figures:
        """The next line of figures. Raises RuntimeError when the client has failed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the client failed")
        figures: Figures = json.loads(line)
        return figures

    def go_on(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()


@contextlib.contextmanager
def client(words: Words, core: int | str = CLIENT_CORE) -> Iterator[Client]:
    """A client that is gone at the end."""
    raise_descriptor_limit()
    process = subprocess.Popen(
        on_core(core, words), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Client(process)
    finally:
        process.terminate()
        with contextlib.suppress(BrokenPipeError):
            process.communicate()


def run_client(words: Words, core: int | str = CLIENT_CORE) -> Figures:
    """Runs a client that stops for nothing; its one line of figures."""
    with client(words, core) as running:
        return running.read()
