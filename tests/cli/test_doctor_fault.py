"""Seeded faults of an installation and its surroundings: the doctor names each by its part, and says what to change.

A fault's line is all that the doctor says beyond what it says of the healthy installation.
"""

import os
from pathlib import Path

import pytest
import trio

from regserver.cli.doctor import machine
from tests.cli.doctor_fault import FAULTS, Arrange
from tests.cli.doctor_stage import make_healthy, opened_stage
from tests.cli.shell import Shell


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: each fault breaks a copy."""
    folder = tmp_path_factory.mktemp("healthy")
    trio.run(make_healthy, folder)
    return folder


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_fault_is_named(
    shell: Shell, healthy: Path, fault: Arrange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "clock_state", lambda: 0)
    async with opened_stage(shell, healthy) as stage:
        usual = await stage.doctor("--offline")
        await fault(stage)
        file = stage.folder / "regserver.toml"
        found = await stage.doctor(*(("--config", str(file)) if file.exists() else ()))
        wanted = FAULTS[fault].format(
            folder=stage.folder, db=stage.database, key=stage.key, me=os.environ.get("USER", "root"),
            port=stage.port, outside=stage.outside,
        )  # fmt: skip
    new = found - usual
    assert len(new) == 1, new
    assert matches(new.pop(), wanted)


def matches(line: str, wanted: str) -> bool:
    """Whether the line is the wanted one; each "…" in it stands for at least one character."""
    start, *others = wanted.split("…")
    if not line.startswith(start):
        return False
    rest = line[len(start) :]
    for piece in others[:-1]:
        before, _, rest = rest.partition(piece)
        assert before, (line, wanted)
    return rest.endswith(others[-1]) and rest != others[-1] if others else rest == ""


def test_there_are_enough() -> None:
    assert len(FAULTS) >= 40
