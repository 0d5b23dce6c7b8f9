"""Executables of the operator's as children that leave nothing behind.

Each leads a session, and so a process group, of its own. The group is killed when the child's context is left, for
whatever reason, and when the child itself has ended but others it started have not. Should the server be killed, the
kernel kills the child with it (Linux: PR_SET_PDEATHSIG).

That signal is sent when the *thread* that forked ends. So all children come from one thread that lives as long as the
spawner; a thread of a pool, gone after some idle seconds, would take a running child along.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import trio

REAP_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


class Command(msgspec.Struct, frozen=True):
    """What is started, and where."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


class Child:
    """A running executable. `ended` is set once it is over; its exit code is known after `close`."""

    def __init__(self, process: "subprocess.Popen[bytes]", pipes: tuple[int, int, int]) -> None:
        self._process = process
        self._pidfd = -1
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # kernels before 5.3
                self._pidfd = os.pidfd_open(process.pid)
        self.stdin, self.stdout, self.stderr = (trio.lowlevel.FdStream(number) for number in pipes)
        self.ended = trio.Event()

    async def feed(self, data: bytes) -> None:
        """Writes its standard input and ends that. Whether it was read is the child's business."""
        with contextlib.suppress(trio.BrokenResourceError):
            await self.stdin.send_all(data)
        await self.stdin.aclose()

    async def watch(self) -> None:
        """Waits for its end, then kills whoever is left of its group: they would hold its pipes open."""
        await self._wait()
        self.ended.set()
        self._kill()

    async def _wait(self) -> None:
        """Until it has ended. It is not reaped, so that its number stays its own and can be killed safely."""
        if self._pidfd >= 0:
            await trio.lowlevel.wait_readable(self._pidfd)
        else:
            await trio.to_thread.run_sync(
                os.waitid, os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT, abandon_on_cancel=True
            )

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def exit_code(self) -> int | None:
        """Of an ended child, which is reaped by this; negative for the signal that ended it."""
        return self._process.poll()

    async def close(self) -> None:
        """Kills what still runs and gives everything back."""
        if self._process.returncode is None:
            self._kill()
            with trio.CancelScope(shield=True), trio.move_on_after(REAP_SECONDS):
                await self._wait()
            self._process.poll()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)


class Spawner:
    """Starts children. Opened by `open_spawner`."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._before_exec = _dying_with(os.getpid()) if sys.platform == "linux" else None

    async def spawn(self, command: Command) -> Child:
        """Raises OSError when it cannot be started."""
        await trio.lowlevel.checkpoint_if_cancelled()
        token, task = trio.lowlevel.current_trio_token(), trio.lowlevel.current_task()
        future = self._thread.submit(self._start, command)
        future.add_done_callback(lambda _: token.run_sync_soon(trio.lowlevel.reschedule, task))
        # Not to be cancelled from here on, or nobody would know the child.
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        return Child(*future.result())

    def _start(self, command: Command) -> "tuple[subprocess.Popen[bytes], tuple[int, int, int]]":
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:

            def pipe(*, child_reads: bool) -> tuple[int, int]:
                reading, writing = os.pipe()
                (theirs if child_reads else ours).callback(os.close, reading)
                (ours if child_reads else theirs).callback(os.close, writing)
                return reading, writing

            stdin, out, err = pipe(child_reads=True), pipe(child_reads=False), pipe(child_reads=False)
            process = subprocess.Popen(  # noqa: S603  (the operator says what is run)
                command.arguments,
                stdin=stdin[0],
                stdout=out[1],
                stderr=err[1],
                cwd=command.folder,
                env=dict(command.environment),
                start_new_session=True,
                preexec_fn=self._before_exec,
            )
            ours.pop_all()
            return process, (stdin[1], out[0], err[0])


def _dying_with(parent: int) -> Callable[[], None]:
    """What runs in the child between fork and exec. All it needs is looked up here: there it may not take locks."""
    prctl = ctypes.CDLL(None).prctl
    kill, leave, getppid = int(signal.SIGKILL), os._exit, os.getppid

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, kill)
        if getppid() != parent:  # it died before the kernel was asked
            leave(1)

    return ask


def inherited_environment() -> dict[str, str]:
    """The server's environment without what is meant for the server: its own settings, and systemd's sockets."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REGSERVER_", "LISTEN_", "NOTIFY_", "WATCHDOG_"))
    }
    # A packed binary runs on libraries of its own; other programs must not find those (PyInstaller's manual).
    if getattr(sys, "frozen", False):
        environment.pop("LD_LIBRARY_PATH", None)
        if original := environment.pop("LD_LIBRARY_PATH_ORIG", ""):
            environment["LD_LIBRARY_PATH"] = original
    return environment


@contextlib.asynccontextmanager
async def open_spawner() -> AsyncIterator[Spawner]:
    """Leave it after all children are closed."""
    with ThreadPoolExecutor(1, thread_name_prefix="source-spawner") as thread:
        yield Spawner(thread)
