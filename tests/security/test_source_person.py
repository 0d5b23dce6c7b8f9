"""What belongs to a person whom the source knows: one account, a name that nobody takes, an ending for who was changed."""

import itertools

import pytest

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.source.roster import RosterSource
from regserver.adapters.source.roster_file import Person
from regserver.domain.account import is_sign_in_name
from regserver.domain.invisible import trim_name
from regserver.ports.password_hasher import PasswordMatch
from regserver.ports.source import Accepted, Rejected
from tests.live_world import CountingHasher
from tests.peer.people_service import DONE, NAME, PeopleService
from tests.peer.people_service import Person as Known
from tests.system.server import listening, local_server
from tests.system.test_live import watch

BLANKS = [
    "bob",
    " bob",
    "bob ",
    "  bob",
    "\tbob\n",
    "bob\u00a0",
    "\u3000bob",
    "\ufeffbob",
    "\u202abob\u202c",
    "bob\u200b",
]


async def test_one_person_in_ten_spellings_is_one_account() -> None:
    """Also where the source trims by itself."""
    service = PeopleService(bob=Known("right", [NAME, DONE], subject="7"))
    async with (
        service.listen() as people,
        local_server(live={"source": "http", "http": {"url": people.url}}) as (_, client),
    ):
        first = await client.post("/login", json={"username": BLANKS[1], "password": "right"})
        assert first.status_code == 303
        async with listening(first.headers["location"]) as listener:
            user_id = (await watch(listener))[-1]["additionalData"]["userId"]
        for typed in BLANKS:
            answer = await client.post("/login", json={"username": typed, "password": "right"})
            assert (answer.status_code, answer.json()["userId"]) == (200, user_id), repr(typed)


async def test_blanks_of_a_keyboard_around_a_name() -> None:
    async with local_server() as (_, client):
        body = {"username": " rosalind ", "email": "r@example.org", "password": "a long password"}
        assert (await client.post("/login/register", json=body)).status_code == 201
        for typed in ("rosalind ", " rosalind", "\u200brosalind\ufeff"):
            credentials = {"username": typed, "password": "a long password"}
            assert (await client.post("/login", json=credentials)).status_code == 200


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u00ad", "\u2060", "\u202e", "\ufe0f", "\u3164", "\u2800", "\U000e0041", "\u2028"]
)
def test_a_name_has_nothing_inside_that_nobody_sees(unseen: str) -> None:
    """A source that ignores it would take it for the same person, and its guesses would be counted apart."""
    assert not is_sign_in_name(f"bo{unseen}b")
    assert trim_name(f"{unseen}bob{unseen}") == "bob"


@pytest.mark.parametrize("name", ["bob", "Bob Marley", "José", "Анна", "李雷", "bob@example.org", "o'neil-2"])
def test_what_people_are_called_is_a_name(name: str) -> None:
    assert is_sign_in_name(name)
    assert trim_name(name) == name


async def test_the_time_of_a_check_tells_nobody_who_is_listed() -> None:
    """The first check of a name costs as many hashes as the second, and as that of a name that is not listed."""
    hasher = CountingHasher()
    slow = Argon2Hasher(time_cost=3, memory=1 << 17, parallelism=1, max_memory=1 << 20)
    hashed = await slow.hash("right")
    people = (
        Person(username="plain", password="right", first_name="A"),
        Person(username="hashed", password_hash=hashed, first_name="B"),
    )
    source = RosterSource(people, hasher)
    for name, password in itertools.product(
        ("plain", "hashed", "nobody", "stranger"), ("wrong", "right", "wrong")
    ):
        before = hasher.used
        verdict = await source.verify(name, password)
        listed = name in {"plain", "hashed"}
        assert isinstance(verdict, Accepted if listed and password == "right" else Rejected)
        assert hasher.used - before == 1


async def test_names_that_are_not_listed_are_compared_with_hashes_that_are() -> None:
    """Those may be slower than ours: then so are the others, each always in the same way."""
    asked: list[str | None] = []

    class Watched(CountingHasher):
        async def verify(self, password: str, encoded: str | None) -> PasswordMatch:
            asked.append(encoded)
            return PasswordMatch.WRONG

    people = tuple(
        Person(username=f"p{number}", password_hash=f"$argon2id$ {number}", first_name="A")
        for number in range(4)
    )
    source = RosterSource(people, Watched())
    for _ in range(2):
        for number in range(200):
            await source.verify(f"stranger {number}", "x")
    assert asked[:200] == asked[200:]
    assert set(asked) == {person.password_hash for person in people}
