"""Commands whose output has no reader any more, as in `regserver doctor | head -1`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from regserver.store.sqlite import open_sqlite


async def run_into_closed_pipe(*arguments: str, folder: Path) -> tuple[int, bytes]:
    """Runs a command whose standard output nobody reads; its exit code and its standard error."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = await trio.run_process(
            [sys.executable, "-m", "regserver", *arguments],
            stdin=b"secret\n",
            stdout=writing,
            capture_stderr=True,
            cwd=folder,
            check=False,
            # Unbuffered, argparse itself would swallow the error of its help.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "doctor --set server.bind=127.0.0.1:0",
        "config init",
        "config show",
        "config check --set live.source=none",
        "version",
        "--help",
        "mail --help",
        "ledger verify",
        "migrate",
        "backup b.tar",
        "source try nobody --set log.level=error --set live.source=command --set live.command.argv=/bin/false",
    ],
)
async def test_a_reader_that_has_gone_ends_a_command_quietly(tmp_path: Path, line: str) -> None:
    async with open_sqlite(tmp_path / "regserver.db"):
        (tmp_path / "regserver.key").write_bytes(bytes(32))
    assert await run_into_closed_pipe(*line.split(), folder=tmp_path) == (141, b"")


async def test_a_fault_is_told_although_nobody_reads_the_output(tmp_path: Path) -> None:
    code, printed = await run_into_closed_pipe("ledger", "verify", folder=tmp_path)
    assert (code, printed.count(b"\n"), b"regserver.db: no such database" in printed) == (1, 1, True)


def test_no_standard_output_at_all(tmp_path: Path) -> None:
    line = f"exec {sys.executable} -m regserver version >&-"
    done = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    line = f"exec {sys.executable} -m regserver config init >/dev/full"
    done = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"regserver: standard output: No space left on device\n")


async def test_a_server_whose_log_nobody_reads_goes_on_serving(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    bind = f"unix:{tmp_path / 's'}"
    command = [
        sys.executable,
        "-m",
        "regserver",
        "serve",
        "--set",
        f"server.bind={bind}",
        "--set",
        "log.format=text",
    ]
    process = await trio.lowlevel.open_process(command, stderr=writing, cwd=tmp_path)
    os.close(writing)
    try:
        with trio.fail_after(30):
            while not (tmp_path / "s").exists():  # noqa: ASYNC110  (another process makes it)
                await trio.sleep(0.05)
            stream = await trio.open_unix_socket(tmp_path / "s")
            async with stream:
                for _ in range(2):  # the second request comes after the greeting that could not be written
                    await stream.send_all(b"GET /health/alive HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert (await stream.receive_some(1000)).startswith(b"HTTP/1.1 200 ")
                    await trio.sleep(0.5)
        process.terminate()
        assert await process.wait() == 0
    finally:
        process.kill()
        await process.wait()
