"""What `config check` says of configurations as people write them: each golden/NAME.toml with the output in golden/NAME.txt."""

from pathlib import Path

import pytest

from regserver.cli import run

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.txt"))
ROSTERS = {"roster_rows_of"}


def said(name: str, capture: pytest.CaptureFixture[str]) -> str:
    """The output and the exit code, with the folder of the files as /etc/regserver."""
    code = run(("config", "check", "--config", str(GOLDEN / f"{name}.toml")))
    printed = capture.readouterr()
    return (printed.out + printed.err).replace(str(GOLDEN), "/etc/regserver") + f"exit code {code}\n"


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_is_written_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(name, capsys) == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_every_configuration_has_its_output() -> None:
    assert {path.stem for path in GOLDEN.glob("*.toml")} - ROSTERS == set(CASES)
    assert len(CASES) > 20
