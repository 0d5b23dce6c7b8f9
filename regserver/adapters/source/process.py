"""Executables as child processes, without processes left over.

Each child leads a session of its own, and so a process group. The group and the processes that have left it (`descendant`)
are killed when the child's context is left, and when the child has ended while processes that it started still run. If the
server is killed, the kernel kills the child as well (Linux: PR_SET_PDEATHSIG).

The kernel sends that signal when the *thread* that forked ends. So one thread starts all children and lives as long as
the spawner: a pool's thread ends after some idle seconds, and its running children would be killed.

trio.open_process starts children from threads of a pool, and has no groups. So this module uses subprocess.Popen.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec
import trio

from regserver.adapters.source.descendant import before_exec, end_adopted, is_reaper, kill_below

REAP_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.002
HANDED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""The variables that every child gets, where the server has them."""
T = TypeVar("T")


class Command(msgspec.Struct, frozen=True):
    """An executable with its arguments, the folder where it runs, and its environment."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


def find_program(command: Command) -> str | None:
    """The path of the command's executable; None when there is none. A relative path starts at the command's folder."""
    program = command.arguments[0]
    path = str(command.folder / program) if "/" in program else program
    return shutil.which(path, path=command.environment["PATH"])


class Child:
    """A running executable. ended: set once the executable has exited. forget: see Spawner."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        pipes: tuple[int, int, int],
        forget: Callable[[int | None], Awaitable[None]],
    ) -> None:
        self._process = process
        self._forget = forget
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
        """Waits for the child's end, then kills the processes that it leaves, which would hold the pipes open."""
        await self._wait()
        self.ended.set()
        self._signal(signal.SIGKILL)
        await self._forget(None)

    async def _wait(self) -> None:
        """Waits for the child's end without reaping it, so that its number is not given to another process."""
        if self._pidfd >= 0:
            await trio.lowlevel.wait_readable(self._pidfd)
        else:
            await trio.to_thread.run_sync(
                os.waitid, os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT, abandon_on_cancel=True
            )

    def _signal(self, number: signal.Signals) -> None:
        """Sends the signal to the child's group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _kill(self) -> None:
        """Kills the child and all below it. It is stopped first, so that it starts and reaps nothing meanwhile."""
        self._signal(signal.SIGSTOP)
        with trio.move_on_after(REAP_SECONDS):
            while True:
                if not kill_below(self._process.pid):
                    break
                await trio.sleep(LOOK_AGAIN_SECONDS)
        self._signal(signal.SIGKILL)

    def exit_code(self) -> int | None:
        """The exit code of an ended child, negative for a signal; None while the child runs. Reaps the child."""
        return self._process.poll()

    async def close(self) -> None:
        """Kills what still runs of the child and its processes, and closes the pipes."""
        with trio.CancelScope(shield=True):
            if self._process.returncode is None:
                await self._kill()
                with trio.move_on_after(REAP_SECONDS):
                    await self._wait()
                self._process.poll()
            await self._forget(self._process.pid)
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)


class Spawner:
    """Starts children from one thread. Opened by `open_spawner`.

    The same thread ends adopted processes, so it knows all children that the server has at that moment.
    """

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._before_exec = before_exec()
        self._adopts = is_reaper()
        self._running: set[int] = set()

    async def spawn(self, command: Command) -> Child:
        """Starts a child. Raises OSError when it cannot be started."""
        await trio.lowlevel.checkpoint_if_cancelled()
        process, pipes = await self._in_thread(lambda: self._start(command))
        return Child(process, pipes, self._forget)

    async def _forget(self, pid: int | None) -> None:
        """Ends what the children that have ended left behind. pid: of one that is reaped; None: it is still to be."""
        if pid is not None:
            self._running.discard(pid)
        if self._adopts:
            await self._in_thread(lambda: end_adopted(self._running))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Runs work in the spawner's thread. It cannot be cancelled: a child would run, and no context would end it."""
        token, task = trio.lowlevel.current_trio_token(), trio.lowlevel.current_task()
        future = self._thread.submit(work)
        future.add_done_callback(lambda _: token.run_sync_soon(trio.lowlevel.reschedule, task))
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        return future.result()

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
            self._running.add(process.pid)
            our_ends.pop_all()
            return process, (stdin[1], out[0], err[0])


def child_environment(listed: Sequence[str]) -> dict[str, str]:
    """The environment of a child: HANDED_ON, and what the operator lists, as NAME of the server's own or NAME=value.

    Nothing else of the server's environment, which may have secrets of other programs.
    """
    names = [*HANDED_ON, *(entry for entry in listed if "=" not in entry)]
    environment = {"PATH": os.defpath} | {name: os.environ[name] for name in names if name in os.environ}
    environment |= {
        name: value for name, equals, value in (entry.partition("=") for entry in listed) if equals
    }
    # A packed binary has its own libraries, which other programs must not load (PyInstaller's manual).
    if getattr(sys, "frozen", False) and "LD_LIBRARY_PATH" in listed:
        environment["LD_LIBRARY_PATH"] = os.environ.get("LD_LIBRARY_PATH_ORIG", "")
    return environment


@contextlib.asynccontextmanager
async def open_spawner() -> AsyncIterator[Spawner]:
    """A spawner with its thread. All children must be closed before its context is left."""
    with ThreadPoolExecutor(1, thread_name_prefix="source-spawner") as thread:
        yield Spawner(thread)
