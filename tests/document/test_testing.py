"""docs/testing.md: every block is a file of tests, which passes."""

import subprocess
import sys
from pathlib import Path

from tests.document.block import blocks


def test_the_examples_pass(tmp_path: Path) -> None:
    found = [block for block in blocks("testing.md") if block.language == "python"]
    assert len(found) == 2
    for block in found:
        (tmp_path / f"test_{block.number}.py").write_text(block.code)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n")
    count = sum(block.code.count("def test_") for block in found)
    plugins = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:asyncio"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{count} passed" in done.stdout
