"""The `file` source: a roster of people in TOML or CSV, each with steps at a configured pace.

`roster_file` has its form. Changes to the file take effect at a reload.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

import trio

from regserver.adapters.source.roster_file import DEFAULT_STEPS, Person, parse_delay, read_roster
from regserver.config import Loaded
from regserver.domain.account import NameKey, Profile, name_key
from regserver.domain.password import normal_form
from regserver.domain.source_line import DoneLine, NameLine, SourceLine, StepLine
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Verdict
from regserver.text import CATALOGUES

log = logging.getLogger("regserver.source")

DEFAULT_PATH = "roster.toml"


class RosterSource(Source):
    """The people of one roster, who are their own subjects.

    Every check costs one hash, so that its time tells nobody who is listed. A plain password is compared as it is, beside a
    hash of what was typed. Hashes of a roster may have other costs than ours, so an unknown name is compared with the
    hash of somebody who is listed, always the same for that name.
    """

    def __init__(self, people: tuple[Person, ...], hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._key = secrets.token_bytes(32)
        self.take(people)

    def take(self, people: tuple[Person, ...]) -> None:
        """Becomes the source of other people, at a reload. A registration that runs ends with the steps it began with."""
        self._people: dict[NameKey, Person] = {name_key(person.username): person for person in people}
        self.people = subjects(people)
        self._everybody = people

    async def verify(self, username: str, password: str) -> Verdict:
        """Compares the password."""
        key = name_key(username)
        person = self._people.get(key)
        like = person or self._double(key)
        match = bool(await self._hasher.verify(password, like.password_hash if like else None))
        if person is not None and person.password is not None:
            match = hmac.compare_digest(_bytes(person.password), _bytes(password))
        return Accepted(Subject(person.username)) if match and person is not None else Rejected()

    def _double(self, key: NameKey) -> Person | None:
        """Somebody who is listed, in whose place a name that is not is checked."""
        if not self._everybody:
            return None
        digest = hmac.digest(self._key, key.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return self._everybody[int.from_bytes(digest[:8]) % len(self._everybody)]

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[SourceLine]]:
        """The person's steps, with a pause before each, then the name."""
        person = self._people.get(name_key(subject))
        if person is None:  # the file changed since the sign-in
            raise SourceFault("the roster no longer has this person")
        async with aclosing(self._lines(person)) as lines:
            yield lines

    async def _lines(self, person: Person) -> AsyncGenerator[SourceLine, None]:
        pause = parse_delay(person.delay)
        for number, message in enumerate(person.steps, 1):
            await trio.sleep(pause)
            yield StepLine(message, number, len(person.steps), translations(message))
        middle = person.middle_name or None
        yield NameLine(Profile(first_name=person.first_name, middle_name=middle, last_name=person.last_name))
        yield DoneLine()


def translations(message: str) -> Mapping[str, str]:
    """language → one of the steps that a person without own ones has; none for a step of the operator's."""
    if message not in DEFAULT_STEPS:
        return {}
    at = DEFAULT_STEPS.index(message)
    return {language: tuple(catalogue.roster.values())[at] for language, catalogue in CATALOGUES.items()}


def subjects(people: tuple[Person, ...]) -> list[Subject]:
    """The people of a roster as a source names them."""
    return [Subject(person.username) for person in people]


def _bytes(password: str) -> bytes:
    return normal_form(password).encode("utf-8", "surrogatepass")


@asynccontextmanager
async def open_roster(loaded: Loaded, hasher: PasswordHasher) -> AsyncIterator[Source]:
    """The roster that the configuration names. Raises ConfigFault, which names the row."""
    people = await trio.to_thread.run_sync(read_people, loaded)
    if people is None:
        path = loaded.resolve(loaded.settings.live.file.path)
        log.warning(
            'there is no %s: nobody can sign in by live registration; write one (docs/live.md), or set live.source = "none"',
            path,
        )
    yield RosterSource(people or (), hasher)


def read_people(loaded: Loaded) -> tuple[Person, ...] | None:
    """The people of the roster; None where there is none, and none is named. Raises ConfigFault, which names the rows."""
    path = loaded.resolve(loaded.settings.live.file.path)
    if not path.is_file() and loaded.settings.live.file.path == DEFAULT_PATH:
        return None
    return read_roster(path)
