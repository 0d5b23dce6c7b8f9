"""Executables as child processes, without processes left over.

Each child leads a session of its own, and so a process group. The group is killed when the child's context is left, and
when the child has ended while processes that it started still run. If the server is killed, the kernel kills the child as
well (Linux: PR_SET_PDEATHSIG).

The kernel sends that signal when the *thread* that forked ends. So one thread starts all children and lives as long as
the spawner: a pool's thread ends after some idle seconds, and its running children would be killed.

trio.open_process starts children from threads of a pool, and has no groups. So this module uses subprocess.Popen.
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
    """An executable with its arguments, the folder where it runs, and its environment."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


class Child:
    """A running executable. ended: set once the executable has exited and the rest of its group is killed."""

    def __init__(self, process: "subprocess.Popen[bytes]", pipes: tuple[int, int, int]) -> None:
        self._process = process
        self._pidfd = -1
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # kernels before 5.3
                self._pidfd = os.pidfd_open(process.pid)
        self.stdin, self.stdout, self.stderr = (trio.lowlevel.FdStream(number) for number in pipes)
        self.ended = trio.Event()

    async def feed(self, data: bytes) -> None:
        """Writes the child's standard input and closes it. A child need not read its input."""
        with contextlib.suppress(trio.BrokenResourceError):
            await self.stdin.send_all(data)
        await self.stdin.aclose()

    async def watch(self) -> None:
        """Waits for the child's end, then kills the rest of its group, which would hold the pipes open."""
        await self._wait()
        self.ended.set()
        self._kill()

    async def _wait(self) -> None:
        """Waits for the child's end without reaping it, so that its number is not given to another process."""
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
        """The exit code of an ended child, negative for a signal; None while the child runs. Reaps the child."""
        return self._process.poll()

    async def close(self) -> None:
        """Kills what still runs of the group and closes the pipes."""
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
    """Starts children from one thread. Opened by `open_spawner`."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._before_exec = _die_with_parent(os.getpid()) if sys.platform == "linux" else None

    async def spawn(self, command: Command) -> Child:
        """Starts a child. Raises OSError when it cannot be started."""
        await trio.lowlevel.checkpoint_if_cancelled()
        token, task = trio.lowlevel.current_trio_token(), trio.lowlevel.current_task()
        future = self._thread.submit(self._start, command)
        future.add_done_callback(lambda _: token.run_sync_soon(trio.lowlevel.reschedule, task))
        # Not cancellable from here on: the child would run, and no context would end it.
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        return Child(*future.result())

    def _start(self, command: Command) -> "tuple[subprocess.Popen[bytes], tuple[int, int, int]]":
        with contextlib.ExitStack() as child_ends, contextlib.ExitStack() as our_ends:

            def pipe(*, child_reads: bool) -> tuple[int, int]:
                reading, writing = os.pipe()
                (child_ends if child_reads else our_ends).callback(os.close, reading)
                (our_ends if child_reads else child_ends).callback(os.close, writing)
                return reading, writing

            stdin, out, err = pipe(child_reads=True), pipe(child_reads=False), pipe(child_reads=False)
            process = subprocess.Popen(  # noqa: S603  (the operator chooses the executable)
                command.arguments,
                stdin=stdin[0],
                stdout=out[1],
                stderr=err[1],
                cwd=command.folder,
                env=dict(command.environment),
                start_new_session=True,
                preexec_fn=self._before_exec,
            )
            our_ends.pop_all()
            return process, (stdin[1], out[0], err[0])


def _die_with_parent(parent: int) -> Callable[[], None]:
    """A function that runs in the child between fork and exec. It may take no lock there, so names are resolved here."""
    prctl = ctypes.CDLL(None).prctl
    kill, leave, getppid = int(signal.SIGKILL), os._exit, os.getppid

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, kill)
        if getppid() != parent:  # the server died before prctl
            leave(1)

    return ask


def inherited_environment() -> dict[str, str]:
    """The server's environment without the server's own settings and systemd's sockets."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REGSERVER_", "LISTEN_", "NOTIFY_", "WATCHDOG_"))
    }
    # A packed binary has its own libraries, which other programs must not load (PyInstaller's manual).
    if getattr(sys, "frozen", False):
        environment.pop("LD_LIBRARY_PATH", None)
        if original := environment.pop("LD_LIBRARY_PATH_ORIG", ""):
            environment["LD_LIBRARY_PATH"] = original
    return environment


@contextlib.asynccontextmanager
async def open_spawner() -> AsyncIterator[Spawner]:
    """A spawner with its thread. All children must be closed before its context is left."""
    with ThreadPoolExecutor(1, thread_name_prefix="source-spawner") as thread:
        yield Spawner(thread)
