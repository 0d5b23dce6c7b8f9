"""The `command` source against a real executable: its exit codes, and that no process is left over."""

import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.source import open_source
from regserver.config import ConfigFault, Loaded, Settings
from regserver.config.live import LiveCommand, LiveSection
from regserver.domain.instant import Duration
from regserver.domain.source_line import DoneLine, MalformedLine, NameLine, SourceLine, StepLine
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Unavailable

EXECUTABLE = Path(__file__).parents[1] / "peer" / "people_command.py"


HASHER = Argon2Hasher(time_cost=1, memory=1 << 20, parallelism=1, max_memory=1 << 22)


@asynccontextmanager
async def opened(argv: tuple[str, ...], patience: int = 20_000) -> AsyncIterator[Source]:
    command = LiveCommand(argv=argv, timeout=Duration(patience))
    settings = Settings(live=LiveSection(source="command", command=command))
    async with open_source(Loaded(settings, None), HASHER) as source:
        assert source is not None
        yield source


def people(folder: Path) -> tuple[str, ...]:
    return (sys.executable, str(EXECUTABLE), str(folder))


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "source.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return (str(path),)


async def gone(pid: int) -> None:
    """Returns when the process has ended, whoever's child it is."""
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with trio.fail_after(10):
            await trio.lowlevel.wait_readable(number)
    finally:
        os.close(number)


def noted(folder: Path, what: str) -> int:
    (path,) = folder.glob(f"{what}.*")
    return int(path.suffix[1:])


async def everything(source: Source, subject: str) -> list[SourceLine]:
    async with source.profile(Subject(subject)) as lines:
        return [line async for line in lines]


async def test_what_the_exit_of_a_check_means(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        assert await source.verify("ada", "right") == Accepted(Subject("ada"))
        assert await source.verify("ada", "wrong") == Rejected()
        assert await source.verify("broken", "") == Unavailable("verify: ended with exit code 3")
        assert await source.verify("killed", "") == Unavailable("verify: ended by signal 9")
        for username in ("garbage", "huge"):
            assert isinstance(await source.verify(username, "right"), Unavailable)


async def test_a_slow_check_is_given_up_and_killed(tmp_path: Path) -> None:
    async with opened(people(tmp_path), patience=1000) as source:
        assert await source.verify("slow", "right") == Unavailable("verify: no answer in 1 s")
        await gone(noted(tmp_path, "verify"))


async def test_the_lines_of_a_profile(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        lines = await everything(source, "ada")
    assert [type(line) for line in lines] == [StepLine, StepLine, NameLine, DoneLine]
    assert isinstance(lines[2], NameLine)
    assert lines[2].profile.last_name == "Ёлкина"


async def test_a_crash_is_told_from_an_end(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        with pytest.raises(SourceFault, match="ended with exit code 7"):
            await everything(source, "crash")


async def test_it_is_killed_with_its_children_when_the_job_ends(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        async with source.profile(Subject("family")) as lines:
            assert isinstance(await anext(lines), StepLine)
        await gone(noted(tmp_path, "profile"))
        await gone(noted(tmp_path, "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has reapers")
async def test_a_process_that_left_its_group_is_killed_with_it(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        async with source.profile(Subject("hermit")) as lines:
            assert isinstance(await anext(lines), StepLine)
        await gone(noted(tmp_path, "profile"))
        await gone(noted(tmp_path, "daemon"))


async def test_the_environment_is_what_the_operator_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_SECRET", "s3cret")
    monkeypatch.setenv("OTHER_SECRET", "s3cret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    before = set(os.environ)
    script(tmp_path, 'env > "$0.env"; echo \'{"subject": "7"}\'')
    for env in ((), ("DB_SECRET", "NOWHERE", "MODE=a=b")):
        command = LiveCommand(argv=(str(tmp_path / "source.sh"),), env=env)
        settings = Settings(live=LiveSection(source="command", command=command))
        async with open_source(Loaded(settings, None), HASHER) as source:
            assert source is not None
            assert await source.verify("ada", "x") == Accepted(Subject("7"))
        found = dict(line.split("=", 1) for line in (tmp_path / "source.sh.env").read_text().splitlines())
        shell = {"PWD", "OLDPWD", "SHLVL", "_"}
        handed_on = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"} & before
        assert found.keys() - shell == handed_on | ({"DB_SECRET", "MODE"} if env else set())
        if env:
            assert (found["DB_SECRET"], found["MODE"]) == ("s3cret", "a=b")


async def test_it_is_killed_when_the_job_is_cancelled(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        with trio.CancelScope() as scope:
            async with source.profile(Subject("family")) as lines:
                await anext(lines)
                scope.cancel()
                await anext(lines)
        assert scope.cancelled_caught
        await gone(noted(tmp_path, "profile"))
        await gone(noted(tmp_path, "child"))


async def test_what_it_leaves_behind_does_not_hold_the_stream_open(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        lines = await everything(source, "leaver")
        assert lines[-1] == DoneLine()
        await gone(noted(tmp_path, "child"))


async def test_it_may_tidy_up_after_done(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        async with source.profile(Subject("tidy")) as lines:
            async for line in lines:
                if line == DoneLine():
                    break
        assert (tmp_path / "tidied").exists()


async def test_the_password_goes_in_by_standard_input_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "regserver.source")
    monkeypatch.setenv("REGSERVER_LIVE__HTTP__BEARER", "of the server")
    password = 'tr"ès secret'
    async with opened(people(tmp_path)) as source:
        assert await source.verify("ada", password) == Rejected()
    report = (tmp_path / f"verify.{noted(tmp_path, 'verify')}").read_text()
    assert json.loads(report)["argv"][-1] == "verify"
    assert "ès secret" not in json.loads(report)["environment"].values()
    assert password not in report
    assert "of the server" not in report
    assert "checking ada with …" in caplog.text
    assert "secret" not in caplog.text


async def test_chatter_on_standard_error_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "regserver.source")
    command = script(
        tmp_path,
        "yes chatter | head -c 1000000 >&2; head -c 200000 /dev/zero | tr '\\0' x >&2; echo '{\"done\": true}'",
    )
    async with opened(command) as source:
        assert await everything(source, "ada") == [DoneLine()]
    assert 0 < len(caplog.records) <= 100
    assert max(len(record.getMessage()) for record in caplog.records) < 1000


async def test_a_line_without_end(tmp_path: Path) -> None:
    async with opened(script(tmp_path, "yes | tr -d '\\n'")) as source:
        lines = await everything(source, "ada")
    assert [type(line) for line in lines] == [MalformedLine]


async def test_an_executable_that_does_not_read_its_input(tmp_path: Path) -> None:
    async with opened(script(tmp_path, 'exec <&-; echo \'{"subject": "7"}\'')) as source:
        assert await source.verify("ada", "x" * 500_000) == Accepted(Subject("7"))


async def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    async with opened(script(tmp_path, "exit 0")) as source:
        (tmp_path / "source.sh").unlink()
        assert isinstance(await source.verify("ada", "x"), Unavailable)
        with pytest.raises(SourceFault, match="cannot be started"):
            await everything(source, "ada")


async def test_no_descriptors_are_lost(tmp_path: Path) -> None:
    async with opened(people(tmp_path)) as source:
        await source.verify("ada", "right")
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            await source.verify("ada", "right")
            await everything(source, "ada")
        await opened_nothing(tmp_path)
        assert len(os.listdir("/proc/self/fd")) == before


async def opened_nothing(folder: Path) -> None:
    async with opened(script(folder, "exit 0")) as source:
        (folder / "source.sh").unlink()
        await source.verify("ada", "x")


@pytest.mark.parametrize("name", ["./nobody.sh", "no-such-program-anywhere", "./folder"])
async def test_what_is_no_executable_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    settings = Settings(live=LiveSection(source="command", command=LiveCommand(argv=(name,))))
    with pytest.raises(ConfigFault, match=r"live\.command\.argv: .* is not an executable"):
        async with open_source(Loaded(settings, tmp_path / "regserver.toml"), HASHER):
            pass


async def test_an_empty_command_is_refused() -> None:
    with pytest.raises(ConfigFault, match=r"live\.command\.argv"):
        async with opened(()):
            pass


async def test_relative_paths_start_at_the_configuration(tmp_path: Path) -> None:
    script(tmp_path, 'echo "{\\"subject\\": \\"$(basename "$PWD")\\"}"')
    command = LiveCommand(argv=("./source.sh",))
    loaded = Loaded(
        Settings(live=LiveSection(source="command", command=command)), tmp_path / "regserver.toml"
    )
    async with open_source(loaded, HASHER) as source:
        assert source is not None
        assert await source.verify("ada", "x") == Accepted(Subject(tmp_path.name))
