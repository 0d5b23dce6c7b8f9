"""The source of live registrations of a test server: people with a password, and the lines that are said of them."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec

from regserver.adapters.source.line_parser import parse_line
from regserver.domain.account import name_key
from regserver.domain.source_line import SourceLine
from regserver.ports.clock import Clock
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Unavailable, Verdict
from regserver.testing.fault import Faults

ScriptLine = Mapping[str, object] | float
"""A line as a source sends it, such as {"step": 1, "totalSteps": 2, "message": "…"}, or seconds of silence."""

STORY: tuple[ScriptLine, ...] = (
    {"step": 1, "totalSteps": 2, "message": "Looking you up"},
    {"step": 2, "totalSteps": 2, "message": "Reading your profile"},
    {"name": {"firstName": "Ada", "middleName": None, "lastName": "Lovelace"}},
    {"done": True},
)
"""What is said of somebody where the test says nothing."""


class _Entry(msgspec.Struct, frozen=True):
    password: str
    lines: Sequence[ScriptLine]


class ScriptedSource(Source):
    """Nobody is known at first."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._entries: dict[str, _Entry] = {}

    def add(self, username: str, password: str, lines: Sequence[ScriptLine] = STORY) -> None:
        """Makes somebody known, or replaces what is known of them. Silence follows the server's clock."""
        self._entries[name_key(username)] = _Entry(password, tuple(lines))

    async def verify(self, username: str, password: str) -> Verdict:
        """Compares the password, unless "source" is to fail."""
        if await self._faults.meet("source") is not None:
            return Unavailable("refused, as the test wants")
        entry = self._entries.get(name_key(username))
        right = entry is not None and entry.password == password
        return Accepted(Subject(username)) if right else Rejected()

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[SourceLine]]:
        """The lines; a link that drops does so behind the first."""
        fault = await self._faults.meet("source")
        if fault == "refuse":
            raise SourceFault("refused, as the test wants")
        entry = self._entries[name_key(subject)]
        lines = entry.lines[:1] if fault == "drop" else entry.lines
        async with aclosing(self._say(lines)) as said:
            yield said

    async def _say(self, lines: Sequence[ScriptLine]) -> AsyncGenerator[SourceLine, None]:
        for line in lines:
            if isinstance(line, int | float):
                await self._clock.sleep(line)
            else:
                yield parse_line(msgspec.json.encode(line))
