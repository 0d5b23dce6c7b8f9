"""`regserver source try USERNAME`: asks the configured source, and says what is wrong with its answers.

The lines go through the state machine of a live registration, but nothing is stored and no account is made.
"""

import argparse
import getpass
import sys
from collections.abc import AsyncIterator

import trio

from regserver.adapters.argon2_hasher import build_hasher
from regserver.adapters.source import open_source
from regserver.adapters.source.descendant import become_reaper
from regserver.cli import FAILED, FINE, CommandFault, configuration
from regserver.config import ConfigFault, Loaded
from regserver.domain.account import Profile
from regserver.domain.live_progress import Complete, LiveProgress, ProgressEvent, ProtocolBroken
from regserver.domain.source_line import MalformedLine, SourceLine, StepLine
from regserver.group import unwrapped
from regserver.log import start_logging
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Unavailable
from regserver.text import LANGUAGES
from regserver.web.live.wire import message_text


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("action", choices=("try",), help="try: check a password and run one registration")
    parser.add_argument("username", metavar="USERNAME")
    parser.epilog = "The password is asked for on the terminal, or read as the first line of standard input."


def run(chosen: argparse.Namespace) -> int:
    """Runs one check and one registration."""
    loaded = configuration(chosen)
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    become_reaper()
    output = start_logging(loaded.settings.log.level, loaded.settings.log.format)
    try:
        with unwrapped(ConfigFault, CommandFault):
            return trio.run(_try, loaded, chosen.username, password)
    finally:
        output.close()


async def _try(loaded: Loaded, username: str, password: str) -> int:
    settings = loaded.settings
    async with open_source(loaded, build_hasher(settings.password)) as source:
        if source is None:
            raise CommandFault('live.source is "none": there is nothing to try')
        started = trio.current_time()
        verdict = await source.verify(username, password)
        match verdict:
            case Accepted(subject=subject):
                _say(started, f"verify: accepted, subject {subject!a}")
                return await _play(source, subject, settings.live.deadline.seconds)
            case Rejected():
                _say(started, "verify: unknown user or wrong password; a sign-in is answered 401")
            case Unavailable(detail=detail):
                _say(started, f"WRONG  {detail}; a sign-in is answered 503")
    return FAILED


async def _play(source: Source, subject: Subject, deadline_seconds: float) -> int:
    """Runs one registration, and stops where the server would."""
    started, code = trio.current_time(), FAILED
    with trio.move_on_after(deadline_seconds) as late:
        try:
            async with source.profile(subject) as lines:
                code = await _read(lines, started)
        except SourceFault as fault:
            code = _wrong(started, str(fault))
    if late.cancelled_caught:
        code = _wrong(started, f"not done within live.deadline, {deadline_seconds:g} s")
    return code


async def _read(lines: AsyncIterator[SourceLine], started: float) -> int:
    """Prints the meaning of each line that the server would read; returns FINE when it would make the account."""
    progress = LiveProgress()
    async for line in lines:
        match progress.take(line):
            case ProtocolBroken(detail=detail):
                if isinstance(line, MalformedLine):  # in a form that cannot control a terminal
                    detail += f": {line.raw.decode('utf-8', 'replace')!a}"
                return _wrong(started, detail)
            case Complete():
                _say(started, "done: the account would be made now")
                return FINE
            case ProgressEvent() as event:
                _say(started, _described(event) + _remark(line, event))
                if progress.over:
                    return FAILED
    return _wrong(started, "the stream ended without done")


def _wrong(started: float, text: str) -> int:
    """Prints a fault of the source; the command fails."""
    _say(started, f"WRONG  {text}; the user sees one FAILURE")
    return FAILED


def _remark(line: SourceLine, event: ProgressEvent) -> str:
    if not isinstance(line, StepLine):
        return ""
    if line.step is not None and line.step != event.step:
        return f"   NOTE  the source said step {line.step}, shown as {event.step}"
    if line.total is not None and line.total != event.total_steps:
        return f"   NOTE  the source said {line.total} steps in all, shown as {event.total_steps}"
    return ""


def _described(event: ProgressEvent) -> str:
    total = "?" if event.total_steps < 0 else str(event.total_steps)
    text = f"{event.event_type:11}  {event.step}/{total}  {message_text(event.message, LANGUAGES[0])}"
    if isinstance(event.data, Profile):
        name = event.data
        text += f": {name.first_name!r}, {name.middle_name!r}, {name.last_name!r}"
    return text


def _say(started: float, text: str) -> None:
    print(f"{trio.current_time() - started:8.3f} s  {text}", flush=True)
