"""docs/sdk.md: every block, one after another, against the server of the quick start."""

from pathlib import Path

from tests.document.block import blocks, check, run
from tests.system.server import open_server


async def test_the_examples_run_one_after_another(tmp_path: Path) -> None:
    found = blocks("sdk.md")
    assert [block.language for block in found] == ["sh", "js", "js", "js"]
    async with open_server(tmp_path) as server:
        for block in found:
            check(block, await run(block, tmp_path, server.url))
