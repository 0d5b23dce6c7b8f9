"""What is forked is like what is started: its parent, words, streams, folder, variables and end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fork_server import COMMAND, FORK_SERVER, check


def run(
    *words: str, given: str = "", cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], input=given, capture_output=True, text=True, check=False, cwd=cwd, env=env
    )


def started(process: subprocess.Popen[str]) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def test_this_python_is_known() -> None:
    assert check()


@pytest.mark.parametrize("is_on", [True, False])
def test_both_ways_do_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_on: bool) -> None:
    monkeypatch.setattr(FORK_SERVER, "is_on", is_on)
    (tmp_path / "here.toml").write_text("[server]\nbnd = 1\n")
    wrong = run("config", "check", "--config", "here.toml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "here.toml" in wrong.stderr
    assert wrong.stdout == ""
    named = run("config", "show", env={**os.environ, "REGSERVER_LOG__LEVEL": "debug"}, cwd=tmp_path)
    assert 'level = "debug"' in named.stdout, named
    assert run("password", "hash", given="a long enough phrase\n").stdout.startswith("$argon2id$")


def test_it_is_a_child_of_the_tests(tmp_path: Path) -> None:
    serve = [*COMMAND, "serve", "--set", "server.bind=127.0.0.1:0"]
    with subprocess.Popen(serve, cwd=tmp_path, text=True) as process:
        try:
            assert "tests.fork_server" in started(process)
            status = Path(f"/proc/{process.pid}/status").read_text()
            assert f"PPid:\t{os.getpid()}\n" in status
        finally:
            process.kill()
        assert process.wait(10) == -signal.SIGKILL


def test_what_only_an_interpreter_can_be_given_starts_one() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    with subprocess.Popen(
        [*COMMAND, "version"], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert "tests.fork_server" not in started(process)
    with subprocess.Popen([*COMMAND, "version"], stdout=subprocess.PIPE, text=True, umask=0o77) as process:
        assert "tests.fork_server" not in started(process)
