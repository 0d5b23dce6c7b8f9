"""The one file that the program is packed into: it unpacks itself once, where execution is allowed, and becomes the program.

The packed program is a shell here, so that a test can look at its process.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.peer.required import find_program, report_missing

ROOT = Path(__file__).parents[2]
LAST = ("/var/tmp", "/tmp")  # noqa: S108  (the places that the launcher tries last)


def pack(folder: Path, version: str = "1") -> Path:
    """A launcher of a shell, in its own folder."""
    program = folder / f"program-{version}"
    program.mkdir()
    shutil.copy(Path(find_program("dash", "dash", "sh")).resolve(), program / "regserver")
    (program / "inner").mkdir()
    (program / "inner" / "version").write_text(version)
    target = folder / f"regserver-{version}"
    subprocess.run([sys.executable, ROOT / "packaging" / "pack.py", program, target], check=True)
    return target


def start(launcher: Path, script: str, **places: Path | str) -> subprocess.CompletedProcess[str]:
    """Runs the packed shell. places: the variables that name folders; every other is absent."""
    return subprocess.run(
        [launcher, "-c", script, "zero", "a b"],
        env=environment(places),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(places: Mapping[str, Path | str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **{name: str(place) for name, place in places.items()}}


def unpacked(place: Path) -> list[str]:
    (folder,) = place.glob("regserver-*")
    return sorted(path.name for path in folder.iterdir())


def test_it_becomes_the_program_and_unpacks_once(tmp_path: Path) -> None:
    launcher, place = pack(tmp_path), tmp_path / "place"
    place.mkdir()
    before = os.umask(0o027)
    try:
        for again in (False, True):
            with subprocess.Popen(
                [launcher, "-c", 'echo $$; umask; readlink /proc/$$/exe; echo "$1"', "zero", "a b"],
                env=environment({"TMPDIR": place}),
                stdout=subprocess.PIPE,
                text=True,
            ) as process:
                assert process.stdout is not None
                pid, mask, program, argument = process.stdout.read().splitlines()
            assert (int(pid), mask, argument) == (process.pid, "0027", "a b")
            assert Path(program).is_relative_to(place)
            stamp = Path(program).parent / "used"
            assert stamp.exists() == again
            stamp.touch()
    finally:
        os.umask(before)
    assert (Path(program).parent / "inner" / "version").read_text() == "1"
    assert Path(program).parent.parent.stat().st_mode & 0o777 == 0o700


def test_its_end_is_the_programs_end(tmp_path: Path) -> None:
    launcher = pack(tmp_path)
    assert start(launcher, "exit 7", TMPDIR=tmp_path).returncode == 7
    assert start(launcher, "kill -9 $$", TMPDIR=tmp_path).returncode == -9


def test_starts_at_the_same_time(tmp_path: Path) -> None:
    launcher, place = pack(tmp_path), tmp_path / "place"
    place.mkdir()
    running = [
        subprocess.Popen([launcher, "-c", "exit 7"], env=environment({"TMPDIR": place})) for _ in range(8)
    ]
    assert {process.wait() for process in running} == {7}
    (folder,) = place.glob("regserver-*/regserver-*")
    assert sorted(path.name for path in folder.iterdir()) == ["inner", "regserver"]
    assert {path.name for path in folder.parent.iterdir()} == {folder.name}


def test_the_next_version_removes_the_last_one_unless_it_runs(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    old, new, newest = (pack(tmp_path, version) for version in ("1", "2", "3"))
    with subprocess.Popen(
        [old, "-c", "read -r line"], env=environment({"TMPDIR": place}), stdin=subprocess.PIPE
    ) as running:
        while not list(place.glob("regserver-*/regserver-*")):
            assert running.poll() is None
        assert start(new, "exit 0", TMPDIR=place).returncode == 0
        assert len(unpacked(place)) == 2
        running.communicate(b"\n")
    assert start(newest, "exit 0", TMPDIR=place).returncode == 0
    assert len(unpacked(place)) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a folder to another user")
def test_a_folder_that_somebody_else_has_made_is_not_used(tmp_path: Path) -> None:
    launcher, first, second = pack(tmp_path), tmp_path / "first", tmp_path / "second"
    for place in (first, second):
        place.mkdir()
    (first / "regserver-root").mkdir()
    os.chown(first / "regserver-root", 12345, 12345)
    (first / "regserver-root").chmod(0o777)
    link = tmp_path / "third"
    link.mkdir()
    (link / "regserver-root").symlink_to(tmp_path)
    for bad in (first, link):
        done = start(launcher, "readlink /proc/$$/exe", TMPDIR=bad, CACHE_DIRECTORY=second)
        assert Path(done.stdout.strip()).is_relative_to(second)
        assert done.stderr == ""


def in_namespace(*commands: str) -> subprocess.CompletedProcess[str]:
    """Runs commands with mounts of their own."""
    unshare = find_program("util-linux", "unshare")
    if subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        report_missing("a test mounts folders that forbid execution, which needs root")
    script = "\n".join(("set -e", *commands))
    return subprocess.run(
        [unshare, "-m", "sh", "-c", script], env=environment({}), capture_output=True, text=True, check=False
    )


def mounted(place: Path | str, options: str) -> str:
    return f"mkdir -p {place}; mount -t tmpfs -o {options} none {place}"


@pytest.mark.parametrize("options", ["noexec", "size=64k", "ro"])
def test_a_place_that_will_not_do_is_passed_over(tmp_path: Path, options: str) -> None:
    """As /run of Debian 12, and /tmp of many hosts."""
    launcher = pack(tmp_path)
    done = in_namespace(
        mounted(tmp_path / "bad", options),
        f"mkdir {tmp_path}/good",
        f"export TMPDIR={tmp_path}/bad CACHE_DIRECTORY={tmp_path}/good",
        f"exec {launcher} -c 'readlink /proc/$$/exe'",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).is_relative_to(tmp_path / "good")


def test_where_nothing_can_be_executed_one_line_says_so(tmp_path: Path) -> None:
    launcher = pack(tmp_path)
    done = in_namespace(
        mounted("/mnt", "size=4m"),
        f"cp {launcher} /mnt/regserver",
        *(mounted(place, "noexec") for place in LAST),
        "exec /mnt/regserver -c 'echo started'",
    )
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr == (
        "regserver: cannot unpack itself: /var/tmp forbids execution or is full; /tmp forbids execution or is full; "
        "set TMPDIR to a folder that allows execution\n"
    )
