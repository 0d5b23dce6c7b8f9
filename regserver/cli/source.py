"""`regserver source try USERNAME`: asks the configured source, and says what is wrong with its answers.

The lines go through the state machine of a live registration, but nothing is stored and no account is made.
"""

import argparse
import getpass
import sys
from collections.abc import AsyncIterator

import msgspec
import trio

from regserver.adapters.argon2_hasher import build_hasher
from regserver.adapters.source import open_source
from regserver.adapters.source.descendant import become_reaper
from regserver.cli import FAILED, FINE, CommandFault, configuration
from regserver.cli.told import Told, tell
from regserver.config import ConfigFault, Loaded
from regserver.domain.account import Profile
from regserver.domain.finding import Level
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
    parser.add_argument("--json", action="store_true", help="print JSON at the end")
    parser.epilog = "The password is asked for on the terminal, or read as the first line of standard input."


def run(chosen: argparse.Namespace) -> int:
    """Runs one check and one registration."""
    loaded = configuration(chosen)
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    become_reaper()
    output = start_logging(loaded.settings.log.level, loaded.settings.log.format)
    try:
        said = Report(aloud=not chosen.json)
        with unwrapped(ConfigFault, CommandFault):
            code = trio.run(_try, loaded, chosen.username, password, said)
    finally:
        output.close()
    if chosen.json:
        tell(chosen, Told((), said.findings))
    return code


class SourceFinding(msgspec.Struct, frozen=True):
    """What came of one line or check. seconds: since the check of the password, or the registration, began."""

    seconds: float
    level: Level
    text: str


class Report:
    """Everything that came of a trial. aloud: each finding is printed at once."""

    def __init__(self, *, aloud: bool) -> None:
        self._aloud = aloud
        self._began = 0.0
        self.findings: list[SourceFinding] = []

    def begin(self) -> None:
        """From now on times are counted."""
        self._began = trio.current_time()

    def say(self, text: str, level: Level = "ok", mark: str = "") -> None:
        """Adds a finding. mark: what is printed before it."""
        seconds = trio.current_time() - self._began
        self.findings.append(SourceFinding(round(seconds, 3), level, text))
        if self._aloud:
            print(f"{seconds:8.3f} s  {mark}{text}", flush=True)

    def fault(self, text: str) -> int:
        """A fault of the source; the command fails."""
        self.say(f"{text}; the user sees one FAILURE", "fail", "WRONG  ")
        return FAILED


async def _try(loaded: Loaded, username: str, password: str, said: Report) -> int:
    settings = loaded.settings
    async with open_source(loaded, build_hasher(settings.password)) as source:
        if source is None:
            raise CommandFault('live.source is "none": there is nothing to try')
        said.begin()
        verdict = await source.verify(username, password)
        match verdict:
            case Accepted(subject=subject):
                said.say(f"verify: accepted, subject {subject!a}")
                return await _play(source, subject, settings.live.deadline.seconds, said)
            case Rejected():
                said.say("verify: unknown user or wrong password; a sign-in is answered 401", "fail")
            case Unavailable(detail=detail):
                said.say(f"{detail}; a sign-in is answered 503", "fail", "WRONG  ")
    return FAILED


async def _play(source: Source, subject: Subject, deadline_seconds: float, said: Report) -> int:
    """Runs one registration, and stops where the server would."""
    code = FAILED
    said.begin()
    with trio.move_on_after(deadline_seconds) as late:
        try:
            async with source.profile(subject) as lines:
                code = await _read(lines, said)
        except SourceFault as fault:
            code = said.fault(str(fault))
    if late.cancelled_caught:
        code = said.fault(f"not done within live.deadline, {deadline_seconds:g} s")
    return code


async def _read(lines: AsyncIterator[SourceLine], said: Report) -> int:
    """Says what each line means that the server would read; returns FINE when it would make the account."""
    progress = LiveProgress()
    async for line in lines:
        match progress.take(line):
            case ProtocolBroken(detail=detail):
                if isinstance(line, MalformedLine):  # in a form that cannot control a terminal
                    detail += f": {line.raw.decode('utf-8', 'replace')!a}"
                return said.fault(detail)
            case Complete():
                said.say("done: the account would be made now")
                return FINE
            case ProgressEvent() as event:
                remark = _remark(line, event)
                said.say(_described(event) + remark, "fail" if progress.over else "hint" if remark else "ok")
                if progress.over:
                    return FAILED
    return said.fault("the stream ended without done")


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
