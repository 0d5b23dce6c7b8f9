"""The `command` source: an executable that the operator provides, called as `argv… verify` or `argv… profile`.

It reads JSON from its standard input: {"username", "password"} to verify, {"subject"} for the profile. `verify` prints
{"subject"} and exits with 0; exit code 1 is a wrong password, any other code means that it cannot tell. `profile` prints
lines of JSON. Its standard error goes to the log, without the password.

live.command.timeout bounds a check as a whole, and the time between two chunks of a profile.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import msgspec
import trio

from regserver.adapters.source.message import MAX_ANSWER_BYTES, profile_request, read_answer, verify_request
from regserver.adapters.source.ndjson import LineReader, LineSplitter
from regserver.adapters.source.process import (
    Child,
    Command,
    Spawner,
    child_environment,
    find_program,
    open_spawner,
)
from regserver.config import ConfigFault, Loaded
from regserver.domain.source_line import SourceLine
from regserver.group import unwrapped
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Rejected, Source, SourceFault, Subject, Unavailable, Verdict

log = logging.getLogger("regserver.source")

RECEIVE_BYTES = 16 * 1024
EXIT_SECONDS = 2.0
"""How long an executable may take to exit after its last line."""
MAX_LOGGED_LINES = 100
MAX_LOGGED_LENGTH = 500
WRONG_PASSWORD = 1

SourceAction = Literal["verify", "profile"]


class CommandSource(Source):
    """command: without its last argument, "verify" or "profile"."""

    def __init__(self, spawner: Spawner, command: Command, timeout_seconds: float) -> None:
        self._spawner = spawner
        self._command = command
        self._timeout = timeout_seconds

    async def verify(self, username: str, password: str) -> Verdict:
        """Runs the executable to its end."""
        try:
            with trio.fail_after(self._timeout):
                async with self._running("verify", verify_request(username, password), password) as child:
                    output = await _read_bounded(child.stdout)
                    await child.ended.wait()
                    return _verdict(child.exit_code(), output)
        except trio.TooSlowError:
            return Unavailable(f"verify: no answer in {self._timeout:g} s")
        except SourceFault as fault:
            return Unavailable(str(fault))

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[SourceLine]]:
        """Runs the executable while its lines are read; leaving kills it."""
        async with self._running("profile", profile_request(subject)) as child:

            async def receive() -> bytes:
                chunk = bytes(await child.stdout.receive_some(RECEIVE_BYTES))
                if not chunk:
                    await child.ended.wait()
                    if code := child.exit_code():
                        raise SourceFault(f"profile: ended {_exit_words(code)}")
                return chunk

            reader = LineReader(receive, self._timeout)
            yield reader
            if reader.done:
                with trio.move_on_after(EXIT_SECONDS):
                    await child.ended.wait()

    @asynccontextmanager
    async def _running(self, action: SourceAction, request: bytes, secret: str = "") -> AsyncIterator[Child]:
        """Runs the executable, and kills its processes afterwards. Raises SourceFault if it cannot start."""
        command = msgspec.structs.replace(self._command, arguments=(*self._command.arguments, action))
        try:
            child = await self._spawner.spawn(command)
        except (OSError, ValueError) as error:
            raise SourceFault(f"{action}: cannot be started: {error}") from error
        try:
            with unwrapped(Exception):  # the reader's errors leave as themselves, not in the nursery's group
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(child.feed, request)
                    nursery.start_soon(_log_lines, child.stderr, action, secret)
                    nursery.start_soon(child.watch)
                    yield child
                    nursery.cancel_scope.cancel()
        finally:
            await child.close()


async def _read_bounded(stream: trio.abc.ReceiveStream) -> bytes:
    """The whole output. Raises SourceFault once it is longer than MAX_ANSWER_BYTES."""
    output = b""
    while len(output) <= MAX_ANSWER_BYTES and (chunk := await stream.receive_some(RECEIVE_BYTES)):
        output += chunk
    if len(output) > MAX_ANSWER_BYTES:
        raise SourceFault(f"verify: an answer of more than {MAX_ANSWER_BYTES} bytes")
    return output


def _verdict(code: int | None, output: bytes) -> Verdict:
    if code == WRONG_PASSWORD:
        return Rejected()
    if code != 0:
        return Unavailable(f"verify: ended {_exit_words(code)}")
    return read_answer(output)


def _exit_words(code: int | None) -> str:
    if code is None:
        return "without an exit code"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


async def _log_lines(stream: trio.abc.ReceiveStream, action: SourceAction, secret: str) -> None:
    """Logs standard error line by line. It is read to its end beyond all bounds, or the executable would block."""
    splitter = LineSplitter()
    left = MAX_LOGGED_LINES
    while chunk := bytes(await stream.receive_some(RECEIVE_BYTES)):
        lines = splitter.feed(chunk)
        if splitter.overlong:
            lines.append(splitter.rest())
            splitter = LineSplitter()
        for line in lines[: max(0, left)]:
            _log_line(line, action, secret)
        left -= len(lines)
    if left > 0:
        _log_line(splitter.rest(), action, secret)


def _log_line(line: bytes, action: SourceAction, secret: str) -> None:
    text = line.decode("utf-8", "replace").rstrip()
    if secret:
        text = text.replace(secret, "…").replace(msgspec.json.encode(secret)[1:-1].decode(), "…")
    if text:
        log.info("%s: %s", action, text[:MAX_LOGGED_LENGTH])


@asynccontextmanager
async def open_command(loaded: Loaded, hasher: PasswordHasher) -> AsyncIterator[Source]:
    """The executable that the configuration names; it runs in the configuration's folder. Raises ConfigFault."""
    command = await trio.to_thread.run_sync(check_command, loaded)
    async with open_spawner() as spawner:
        yield CommandSource(spawner, command, loaded.settings.live.command.timeout.seconds)


def check_command(loaded: Loaded) -> Command:
    """The configured command. Raises ConfigFault where there is no such executable."""
    settings = loaded.settings.live.command
    if not settings.argv or not settings.argv[0]:
        raise ConfigFault('live.command.argv: expected an executable and its arguments, such as ["./people"]')
    command = Command(settings.argv, loaded.resolve(".").resolve(), child_environment(settings.env))
    if find_program(command) is None:
        raise ConfigFault(f"live.command.argv: {settings.argv[0]} is not an executable")
    return command
