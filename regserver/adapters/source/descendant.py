"""The processes below an executable, whatever group or session they moved to.

A *reaper* becomes the parent of the processes below it whose own parent has ended (Linux: PR_SET_CHILD_SUBREAPER). Each
executable is made the reaper of its own processes, so while it runs they are all below it, and are ended from there. Those
that outlive it come to the server, if its program has made it a reaper, and `end_adopted` ends them.

Groups and sessions do not suffice, since setsid(2) leaves both. Control groups need a delegation that few hosts give, PID
namespaces a privilege.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_ADOPTED_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.002


def become_reaper() -> None:
    """Lets this process adopt what its children leave behind. Only the program's start may: it has no other children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def is_reaper() -> bool:
    """Whether `become_reaper` was called."""
    if sys.platform != "linux":
        return False
    answer = ctypes.c_int()
    ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return answer.value == 1


def before_exec() -> Callable[[], None] | None:
    """A function for the child between fork and exec: it becomes a reaper, and is killed when the server ends.

    It may take no lock there, so names are resolved here.
    """
    if sys.platform != "linux":
        return None
    prctl, kill, leave, getppid = ctypes.CDLL(None).prctl, int(signal.SIGKILL), os._exit, os.getppid
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, kill)
        if getppid() != parent:  # the server died before prctl
            leave(1)

    return ask


def kill_below(pid: int) -> bool:
    """Kills every process below this one; returns whether one was running. pid: stopped, so that it starts no more."""
    running = [each for each in _below(pid) if _is_running(each)]
    for each in running:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)
    return bool(running)


def end_adopted(known: Collection[int]) -> None:
    """Kills and reaps this process's children but the known ones. Blocks until they are gone, a second at most.

    An adopted process belonged to an executable that has ended, since a running one is the reaper of its own.
    """
    deadline = time.monotonic() + _ADOPTED_SECONDS
    while (adopted := _children(os.getpid()) - set(known)) and time.monotonic() < deadline:
        for pid in adopted:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _below(pid: int) -> Iterator[int]:
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        yield from children
        waiting += children


def _children(pid: int) -> set[int]:
    """The children of all of a process's threads. Empty where the kernel does not list them, or the process is gone."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children") as file:
                found.update(map(int, file.read().split()))
    return found


def _is_running(pid: int) -> bool:
    """Whether the process exists and has not ended: a zombie only waits for its parent."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except OSError:
        return False
