"""Processes that end in the middle of a test: it fails, once, and all others are run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENDS = {("2", "2"), ("5", "0"), ("6", "1")}
"""The file and the number of each test that ends its process: at the end, at the beginning, and while another begins anew."""
TEXT = """
import os
import pytest

@pytest.mark.parametrize("number", range(3))
def test_it(number: int) -> None:
    if ({file!r}, str(number)) in {ends!r}:
        os._exit(3)
"""


@pytest.mark.parametrize("processes", ["2", "3"])
def test_a_test_that_ends_its_process_fails_once_and_the_others_go_on(tmp_path: Path, processes: str) -> None:
    for number in range(9):
        file = str(number)
        (tmp_path / f"test_{file}.py").write_text(TEXT.format(file=file, ends=ENDS))
    options = (
        "-p tests.scheduler -p no:cacheprovider -c /dev/null -rfp --dist loadfile --no-loadscope-reorder"
    )
    places: list[str | Path] = ["--numprocesses", processes, "--rootdir", tmp_path, tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options.split(), *places],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = re.findall(r"^(PASSED|FAILED) \S*test_(\d)\.py::test_it\[(\d)\]", done.stdout, re.MULTILINE)
    assert len(found) == 27, done.stdout
    assert {(file, number) for outcome, file, number in found if outcome == "FAILED"} == ENDS, done.stdout
