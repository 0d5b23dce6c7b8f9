"""Long names and passwords reach a source to their last character: nothing is cut on the way."""

import httpx

from tests.peer.people_service import DONE, NAME, PeopleService, Person
from tests.system.server import local_server

LONG = 256


async def login(client: httpx.AsyncClient, username: str, password: str) -> int:
    return (await client.post("/login", json={"username": username, "password": password})).status_code


async def test_names_and_passwords_reach_a_source_whole() -> None:
    """Nobody gets in by a name that begins as another's does, nor without the end of a password."""
    username, password = "n" * 253 + "1", "p" * (LONG - 1) + "1"
    service = PeopleService(**{username: Person(password, [NAME, DONE])})
    async with (
        service.listen() as people,
        local_server(live={"source": "http", "http": {"url": people.url}}) as (_, client),
    ):
        for other_name, other in (
            (username, password[:-1] + "2"),
            (username[:-1] + "2", password),
            (username[:-1], password),
            (username[:52], password),
            (username, password[:72]),
            (username + "1", password),
        ):
            assert await login(client, other_name, other) == 401
        assert await login(client, username, password) == 303
