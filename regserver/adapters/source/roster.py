"""The `file` source: a roster of people in TOML or CSV, each with steps at a configured pace.

    [[user]]
    username = "ada"
    password = "..."            # or password_hash = "$argon2id$..."
    first_name = "Ada"
    last_name = "Lovelace"      # middle_name, steps and delay may follow

CSV has columns of the same names. Changes to the file take effect at the next start.
"""

import csv
import io
import logging
import re
import tomllib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import trio

from regserver.config import ConfigFault, Loaded
from regserver.config.unit import read_duration
from regserver.domain.account import NameKey, Profile, name_key
from regserver.domain.source_line import DoneLine, NameLine, SourceLine, StepLine
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Verdict

log = logging.getLogger("regserver.source")

DEFAULT_PATH = "roster.toml"
DEFAULT_STEPS = (
    "Connecting to the data source",
    "Checking your credentials",
    "Looking up your record",
    "Reading your profile",
    "Preparing your account",
    "Almost done",
)


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row. delay: the pause before each step, such as "500ms"."""

    username: str
    first_name: str
    last_name: str
    middle_name: str | None = None
    password: str | None = None
    password_hash: str | None = None
    delay: str = "500ms"
    steps: tuple[str, ...] = DEFAULT_STEPS


class _Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: tuple[Person, ...] = ()


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


def parse_delay(text: str) -> float:
    """Reads "500ms", "2s" or "2" as seconds. Raises ValueError."""
    return read_duration(int(text) if re.fullmatch("[0-9]{1,9}", text) else text).seconds


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


def read_roster(path: Path) -> tuple[Person, ...]:
    """Reads and checks the file. Raises ConfigFault."""
    try:
        text = path.read_text("utf-8")
        rows: Any = _rows_of_csv(text) if path.suffix == ".csv" else tomllib.loads(text)
        people = msgspec.convert(rows, _Roster).user
    except OSError as error:
        raise ConfigFault(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigFault(f"{path}: not a roster: {error}") from None
    _check(path, people)
    return people


def _rows_of_csv(text: str) -> dict[str, Any]:
    rows = csv.DictReader(io.StringIO(text))
    return {"user": [{key: value for key, value in row.items() if value} for row in rows]}


def _check(path: Path, people: tuple[Person, ...]) -> None:
    seen: set[NameKey] = set()
    for number, person in enumerate(people, 1):
        where = f"{path}: user {number} ({person.username})"
        if name_key(person.username) in seen:
            raise ConfigFault(f"{where}: the roster has this user name twice")
        seen.add(name_key(person.username))
        if (person.password is None) == (person.password_hash is None):
            raise ConfigFault(f"{where}: expected either password or password_hash")
        if person.password_hash is not None and not person.password_hash.startswith("$argon2id$"):
            raise ConfigFault(f"{where}: password_hash: expected an argon2id hash, beginning with $argon2id$")
        try:
            parse_delay(person.delay)
        except ValueError:
            raise ConfigFault(f'{where}: delay: expected a duration such as "500ms" or "2s"') from None
