"""The examples of docs/client.md run as they stand."""

import re
from pathlib import Path
from typing import Any

import pytest
import trio

from regserver import testing

DOCUMENT = Path(__file__).parents[2] / "docs" / "client.md"


@pytest.fixture
def examples() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL):
        exec(block, names)  # noqa: S102  (of our own document)
    return names


async def test_the_examples_run(examples: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    async with testing.server() as server:
        server.source("ada")
        await examples["sign_in"](server.url)
        ben = await server.person("ben")
        with trio.move_on_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(examples["talk"], server.url, ben.token)
                await server.events.wait("posted")
                nursery.cancel_scope.cancel()
        await examples["step"](server.url, "000000")
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == "1 2 Looking you up"
    assert printed.splitlines()[-2:] == ["1102 firstStep", "False"]


def test_the_blocking_example_runs(
    examples: dict[str, Any], regserver: testing.BlockingServer, capsys: pytest.CaptureFixture[str]
) -> None:
    examples["plain"](regserver.url)
    assert capsys.readouterr().out == "()\n"
