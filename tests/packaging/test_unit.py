"""The shipped units: bounded, without core dumps, and as closed as systemd can make them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peer.required import find_program, report_missing

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
        [analyze, "security", "--offline=true", "--no-pager", "--threshold=10", service],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


REFUSES_NEW_CODE = """
import ctypes, os, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
USES = """
import ctypes, sqlite3
import argon2, coincurve
from cryptography.hazmat.primitives.asymmetric import ec
assert argon2.PasswordHasher(1, 8, 1).hash("x")
assert coincurve.PrivateKey().sign(b"x")
ec.generate_private_key(ec.SECP256R1())
connection = sqlite3.connect(":memory:")
connection.create_function("same", 1, lambda value: value)
assert connection.execute("SELECT same(1)").fetchone() == (1,)
ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
connection.close()
"""


def test_no_library_needs_memory_that_is_written_and_executed() -> None:
    """MemoryDenyWriteExecute=yes."""
    assert directives("regserver.service")["MemoryDenyWriteExecute"] == "yes"
    done = subprocess.run([sys.executable, "-c", REFUSES_NEW_CODE, USES], capture_output=True, check=False)
    if done.returncode == 77:
        report_missing("this kernel cannot refuse new code to a process (Linux 6.3)")
    assert (done.returncode, done.stderr) == (0, b"")
