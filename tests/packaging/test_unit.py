"""The shipped units: bounded, without core dumps, and as closed as systemd can make them."""

import subprocess
from pathlib import Path

import pytest

from tests.peer.required import find_program

UNITS = Path(__file__).parents[2] / "systemd"


def directives(name: str) -> dict[str, str]:
    lines = (UNITS / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_the_service_is_bounded_and_leaves_no_core() -> None:
    service = directives("regserver.service")
    assert service["LimitCORE"] == "0"
    assert service["MemoryMax"].endswith("G")
    assert 0 < int(service["TasksMax"]) <= 1024


def test_the_program_is_unpacked_where_execution_is_allowed() -> None:
    service = directives("regserver.service")
    assert service["CacheDirectory"] == "regserver"
    assert "TMPDIR" not in service.get("Environment", "")
    assert "NotifyAccess" not in service  # the program has no parent: its main process notifies


@pytest.mark.parametrize("name", ["regserver.service", "regserver.socket"])
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    analyze = find_program("systemd", "systemd-analyze")
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/usr/local/bin/regserver", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    told = [line for line in (done.stdout + done.stderr).splitlines() if name.partition(".")[0] in line]
    assert (done.returncode, told) == (0, [])


def test_the_service_is_closed() -> None:
    analyze = find_program("systemd", "systemd-analyze")
    service = str(UNITS / "regserver.service")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", "--threshold=15", service],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
