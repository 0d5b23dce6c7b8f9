"""Starts `python -m regserver` by forking a process that has it loaded: hundreds of tests start servers and commands.

The child is what a new interpreter would be: of its parent, with its arguments, variables, folder and standard streams. What
an interpreter does before it runs the program is not tried: it takes a second or two, and each test would pay for it. Tests
that look at the process itself take the fixture `new_interpreters`; the executable has tests of its own.

subprocess has no hook for another way to start. `_execute_child` is a private part of it: `check` says whether it is as in
the Python that this was written for, and without that every process is started by subprocess itself.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import inspect
import json
import os
import pkgutil
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

COMMAND = [sys.executable, "-m", "regserver"]
NOT_LOADED = ("regserver.__main__", "regserver.pytest_plugin", "regserver.testing", "regserver.client")
_EXPECTED = (
    "args", "executable", "preexec_fn", "close_fds", "pass_fds", "cwd", "env", "startupinfo", "creationflags", "shell",
    "p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite", "restore_signals", "gid", "gids", "uid", "umask",
    "start_new_session", "process_group",
)  # fmt: skip
_PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
_USUAL: dict[str, object] = {
    "executable": None, "preexec_fn": None, "close_fds": True, "pass_fds": (), "shell": False, "gid": None, "gids": None,
    "uid": None, "umask": -1, "start_new_session": False, "process_group": -1,
}  # fmt: skip
"""What a forked child can be given. The rest is for a new interpreter."""
_Popen = subprocess.Popen
_SET_CHILD_SUBREAPER = 36
_MESSAGE_BYTES = 1 << 20


def check() -> bool:
    """Whether subprocess can be told to start a process in another way."""
    found = inspect.signature(_Popen._execute_child).parameters  # type: ignore[attr-defined]
    return tuple(found) == ("self", *_EXPECTED)


class ForkServer:
    """The side of the tests. One a process, started with the first server or command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ours: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.is_on = check()

    def takes(self, args: object, cwd: object, env: Mapping[str, str] | None) -> bool:
        """Whether this is a command that can be forked."""
        if not self.is_on or not isinstance(args, list) or args[: len(COMMAND)] != COMMAND:
            return False
        given = os.environ if env is None else env
        same = all(
            given.get(name) == os.environ.get(name) for name in {*given, *os.environ} if name[:6] == "PYTHON"
        )
        return same and os.path.isdir(str(cwd or "."))

    def fork(self, words: list[str], cwd: str, env: dict[str, str], streams: Sequence[int]) -> int:
        """Starts a child of this process; its id. words: after `regserver`. streams: descriptors of its 0, 1 and 2."""
        message = json.dumps({"words": words, "cwd": cwd, "env": env}).encode()
        with self._lock:
            ours = self._connected()
            with _adopting():
                socket.send_fds(ours, [message], streams)
                answer = ours.recv(32)
        assert answer, "the fork server has ended"
        return int(answer)

    def _connected(self) -> socket.socket:
        if self._ours is None:
            self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for each in (self._ours, theirs):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MESSAGE_BYTES)
            command = [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())]
            with theirs:
                self._process = _Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._ours

    def stop(self) -> None:
        """Its children go on."""
        with self._lock:
            if self._ours is not None and self._process is not None:
                self._ours.close()
                self._process.wait(10)
                self._ours = self._process = None


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Children of children that ended become children of this process: as such subprocess can wait for them."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        assert prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0


FORK_SERVER = ForkServer()


class ForkingPopen(subprocess.Popen):  # type: ignore[type-arg]  # both of str and of bytes
    """A process that is forked where that can be."""

    def _execute_child(self, *values: Any) -> None:
        given = dict(zip(_EXPECTED, values, strict=True))
        args, env, cwd = given["args"], given["env"], given["cwd"]
        if any(given[name] != usual for name, usual in _USUAL.items()) or not FORK_SERVER.takes(
            args, cwd, env
        ):
            super()._execute_child(*values)  # type: ignore[misc]
            return
        streams = [
            given[name] if given[name] >= 0 else own
            for own, name in enumerate(("p2cread", "c2pwrite", "errwrite"))
        ]
        words = [str(word) for word in args[len(COMMAND) :]]
        variables = {str(name): str(value) for name, value in (os.environ if env is None else env).items()}
        try:
            self.pid = FORK_SERVER.fork(words, os.path.abspath(str(cwd or ".")), variables, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(*(given[name] for name in _PIPES))  # type: ignore[attr-defined]


# --- the side of the children
def main() -> None:
    """Loads the program, and forks at each message until the tests close the socket. A child leaves by its exit code."""
    theirs = socket.socket(fileno=int(sys.argv[1]))
    _load()
    while True:
        message, streams, _, _ = socket.recv_fds(theirs, _MESSAGE_BYTES, 3)
        if not message:
            return
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child:  # ends, so that the child becomes one of the tests' process
                os.write(writing, str(child).encode())
                os._exit(0)
            theirs.close()
            for descriptor in (reading, writing):
                os.close(descriptor)
            _become(json.loads(message), streams)
        os.waitpid(between, 0)
        theirs.send(os.read(reading, 32))
        for descriptor in (reading, writing, *streams):
            os.close(descriptor)


def _load() -> None:
    import regserver

    for found in pkgutil.walk_packages(regserver.__path__, "regserver."):
        if not found.name.startswith(NOT_LOADED):
            importlib.import_module(found.name)
    gc.collect()
    gc.freeze()  # or each child would copy every page at its first collection


def _become(given: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """Runs the command as the main program of this process."""
    for descriptor, place in zip(streams, (0, 1, 2), strict=True):
        os.dup2(descriptor, place)
    for descriptor in streams:
        if descriptor > 2:
            os.close(descriptor)
    os.environ.clear()
    os.environ.update(given["env"])
    time.tzset()
    os.chdir(given["cwd"])
    sys.argv = ["regserver", *given["words"]]
    from regserver.__main__ import main as run

    try:
        run()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as an interpreter does at its end
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)  # taking down what was loaded for all commands would take longer than most of them run


if __name__ == "__main__":
    main()
