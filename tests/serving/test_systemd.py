"""Notifications, inherited sockets and the watchdog, against real sockets and descriptors."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio
import trio.testing

from regserver.serving.systemd import inherited_binds, run_watchdog, sd_notify, watchdog_seconds


@pytest.mark.parametrize("abstract", [False, True])
def test_notify(abstract: bool, tmp_path: Path) -> None:
    name = f"regserver-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name if abstract else name)
        environ = {"NOTIFY_SOCKET": "@" + name if abstract else name}
        assert sd_notify(environ, READY=1, STATUS="serving on 127.0.0.1:8080")
        assert sock.recv(1000) == b"READY=1\nSTATUS=serving on 127.0.0.1:8080"


def test_notify_without_systemd(tmp_path: Path) -> None:
    assert not sd_notify({}, READY=1)
    assert not sd_notify({"NOTIFY_SOCKET": "vsock:2:1"}, READY=1)
    assert not sd_notify({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, READY=1)


def test_inherited_sockets_of_this_process_or_its_parent() -> None:
    for pid in (os.getpid(), os.getppid()):
        assert inherited_binds({"LISTEN_FDS": "2", "LISTEN_PID": str(pid)}) == ["fd://3", "fd://4"]
    assert inherited_binds({"LISTEN_FDS": "2", "LISTEN_PID": "1234567890"}) == []
    assert inherited_binds({"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())}) == []
    assert inherited_binds({}) == []


def test_watchdog_time() -> None:
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000"}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1234567890"}) == 0.0
    assert watchdog_seconds({}) == 0.0


async def test_watchdog_beats_twice_in_its_time(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(str(tmp_path / "notify"))
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "20000000"}
        with trio.move_on_after(45):
            await run_watchdog(environ)
        beats = [sock.recv(100) for _ in range(5)]
        assert beats == [b"WATCHDOG=1"] * 5  # after 0, 10, 20, 30 and 40 seconds
        with pytest.raises(BlockingIOError):
            sock.recv(100)
    await run_watchdog({})  # nobody watches: returns


_SIGNALS = """
import signal
import trio
from regserver.serving.signal import run_signals

async def main():
    say = lambda word: print(word, flush=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: run_signals(
            stop=lambda: say("stop"), abort=lambda: say("abort"),
            others={signal.SIGHUP: lambda: say("reload")}, task_status=task_status))
        say("ready")

trio.run(main)
"""


def test_signals() -> None:
    with subprocess.Popen([sys.executable, "-c", _SIGNALS], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for signal, answer in (
                ("", "ready"),
                ("HUP", "reload"),
                ("TERM", "stop"),
                ("INT", "abort"),
                ("HUP", "reload"),
            ):
                if signal:
                    subprocess.run(["kill", f"-{signal}", str(process.pid)], check=True)
                assert process.stdout.readline().strip() == answer
        finally:
            process.kill()
