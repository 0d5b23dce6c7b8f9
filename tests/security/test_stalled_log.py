"""The log never holds the server up: a reader that stalls or has gone, a full disk, a file that is moved, a closed terminal."""

import fcntl
import json
import os
import signal
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
import trio

from regserver.log.sink import MAX_WAITING
from tests.security.process import Started, started, until

REQUESTS = 9000
"""Their lines fill a pipe and what the server keeps, several times over."""


async def ask_often(server: Started, count: int = REQUESTS) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask_in_turn, server, count // 10)


async def ask_in_turn(server: Started, count: int) -> None:
    for _ in range(count):
        assert await server.status() == 200


async def read_lines(descriptor: int) -> list[dict[str, Any]]:
    """Every line until the writer has ended."""
    data = b""
    async with trio.lowlevel.FdStream(descriptor) as stream:
        async for chunk in stream:
            data += chunk
    return [json.loads(line) for line in data.splitlines()]


async def test_a_reader_that_stalls_loses_lines_and_nothing_else_notices(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    async with started(tmp_path, stderr=writer) as server:
        os.close(writer)
        while await server.figure("regserver_log_lines_lost_total") < 100:
            await ask_often(server)
        assert await server.status("/health/ready") == 200
        lines: list[dict[str, Any]] = []

        async def read() -> None:
            lines.extend(await read_lines(reader))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)  # it reads on
            before = await server.figure("regserver_log_lines_lost_total")
            await trio.sleep(1)
            assert await server.status() == 200
            assert await server.figure("regserver_log_lines_lost_total") == before
            server.process.terminate()
            assert await server.ends() == 0
    told = [line for line in lines if line["message"].endswith("lines lost")]
    assert [(line["level"], line["logger"]) for line in told] == [("warning", "regserver.log")]
    assert told[0]["message"] == f"{before:.0f} lines lost"
    times = [line["at"] for line in lines if line["logger"] == "regserver.access"]
    assert times == sorted(times)
    assert lines[-1]["message"] == "stopping" or lines[-1]["logger"] == "regserver.access"
    assert sum(len(str(line)) for line in lines) < 4 * MAX_WAITING


async def test_it_ends_although_nobody_reads(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    async with started(tmp_path, stderr=writer) as server:
        os.close(writer)
        await ask_often(server, 1000)
        server.process.terminate()
        assert await server.ends() == 0
    os.close(reader)


async def test_it_serves_without_a_reader_and_on_a_full_disk(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    for stderr in (writer, full):
        async with started(tmp_path, stderr=stderr) as server:
            await ask_often(server, 100)
            assert await server.status("/health/ready") == 200
            with trio.fail_after(30):
                while await server.figure("regserver_log_lines_lost_total") < 100:
                    await ask_often(server, 10)
            server.process.terminate()
            assert await server.ends() == 0
        os.close(stderr)


async def test_a_killed_server_loses_the_last_moment_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as stderr:
        async with started(tmp_path, stderr=stderr) as server:
            await server.client.get("/login/userId/somebody")
            await trio.sleep(1)
            server.process.kill()
            await server.ends()
    assert "/login/userId" in path.read_text()


async def wait_text(path: Path, wanted: str) -> str:
    await until(lambda: path.exists() and wanted in path.read_text())
    return path.read_text()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
@pytest.mark.parametrize("redirected", [True, False])
async def test_a_log_file_that_was_moved_is_opened_anew(
    tmp_path: Path, redirected: bool, number: signal.Signals
) -> None:
    path = tmp_path / "server.log"
    settings = () if redirected else (f"log.file={path}",)
    with (path if redirected else Path(os.devnull)).open("ab") as stderr:
        async with started(tmp_path, settings, stderr=stderr) as server:
            await wait_text(path, "is serving")
            path.rename(tmp_path / "server.log.1")
            server.process.send_signal(number)
            await until(path.exists)
            await server.client.get("/login/userId/somebody")
            text = await wait_text(path, "/login/userId")
            assert "is serving" not in text
            assert all(json.loads(line) for line in text.splitlines())
            server.process.terminate()
            assert await server.ends() == 0
    await wait_text(path, "stopping")
    assert path.stat().st_mode & 0o007 == 0 or redirected


async def test_a_second_user_signal_is_ignored(tmp_path: Path) -> None:
    async with started(tmp_path, stderr=subprocess.DEVNULL) as server:
        server.process.send_signal(signal.SIGUSR2)
        assert await server.status() == 200


def take_terminal() -> None:
    """Makes standard error the terminal of this process, as a terminal window does for its shell."""
    os.setsid()
    fcntl.ioctl(2, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where nohup runs the tests


def take_terminal_under_nohup() -> None:
    take_terminal()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


async def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    window, terminal = os.openpty()
    async with started(tmp_path, stderr=terminal, preexec_fn=take_terminal) as server:
        os.close(terminal)
        server.process.send_signal(signal.SIGHUP)  # with the terminal there it reloads
        assert await server.status() == 200
        os.close(window)
        assert await server.ends() == 0


async def test_a_closed_terminal_does_not_end_it_under_nohup(tmp_path: Path) -> None:
    window, terminal = os.openpty()
    async with started(tmp_path, stderr=terminal, preexec_fn=take_terminal_under_nohup) as server:
        os.close(terminal)
        os.close(window)
        server.process.send_signal(signal.SIGHUP)
        assert await server.status() == 200
        server.process.terminate()
        assert await server.ends() == 0


async def test_a_terminal_that_is_held_holds_nobody_up(tmp_path: Path) -> None:
    """Ctrl-S, or a window that does not draw."""
    window, terminal = os.openpty()
    async with started(tmp_path, ("log.format=text",), stderr=terminal) as server:
        os.close(terminal)
        await ask_often(server, 2000)
        assert await server.status("/health/ready") == 200
        server.process.terminate()
        assert await server.ends() == 0
    os.close(window)
