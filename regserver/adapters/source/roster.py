"""The `file` source: a roster of people in TOML or CSV, each with steps at a configured pace.

`roster_file` has its form. Changes to the file take effect at the next start.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import trio

from regserver.adapters.source.roster_file import Person, parse_delay, read_roster
from regserver.config import Loaded
from regserver.domain.account import NameKey, Profile, name_key
from regserver.domain.source_line import DoneLine, NameLine, SourceLine, StepLine
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Verdict

log = logging.getLogger("regserver.source")

DEFAULT_PATH = "roster.toml"


class RosterSource(Source):
    """The people of one roster. A plain password is hashed at its first use, and compared as a hash."""

    def __init__(self, people: tuple[Person, ...], hasher: PasswordHasher) -> None:
        self._people: dict[NameKey, Person] = {name_key(person.username): person for person in people}
        self._hashes: dict[NameKey, str] = {
            key: person.password_hash for key, person in self._people.items() if person.password_hash
        }
        self._hasher = hasher

    async def verify(self, username: str, password: str) -> Verdict:
        """Compares the password; an unknown user takes as long as a known one with a hash."""
        key = name_key(username)
        person = self._people.get(key)
        if person is not None and person.password is not None and key not in self._hashes:
            self._hashes[key] = await self._hasher.hash(person.password)
        if not await self._hasher.verify(password, self._hashes.get(key)) or person is None:
            return Rejected()
        return Accepted(Subject(person.username))

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[SourceLine]]:
        """The person's steps, with a pause before each, then the name."""
        person = self._people.get(name_key(subject))
        if person is None:  # the file changed, and the server restarted, since the sign-in
            raise SourceFault("the roster no longer has this person")
        async with aclosing(self._lines(person)) as lines:
            yield lines

    async def _lines(self, person: Person) -> AsyncGenerator[SourceLine, None]:
        pause = parse_delay(person.delay)
        for number, message in enumerate(person.steps, 1):
            await trio.sleep(pause)
            yield StepLine(message, number, len(person.steps))
        middle = person.middle_name or None
        yield NameLine(Profile(first_name=person.first_name, middle_name=middle, last_name=person.last_name))
        yield DoneLine()


@asynccontextmanager
async def open_roster(loaded: Loaded, hasher: PasswordHasher) -> AsyncIterator[Source]:
    """The roster that the configuration names. Raises ConfigFault, which names the row."""
    path = loaded.resolve(loaded.settings.live.file.path)
    people: tuple[Person, ...] = ()
    if not path.is_file() and loaded.settings.live.file.path == DEFAULT_PATH:
        log.warning("there is no %s: nobody can sign in by live registration", path)
    else:
        people = await trio.to_thread.run_sync(read_roster, path)
    yield RosterSource(people, hasher)
