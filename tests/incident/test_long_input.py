"""Hashes that read only the first bytes: with a name of 52 characters or more, another product asked for no password."""

from tests.system.server import local_server


async def test_the_last_character_of_long_names_and_passwords_counts() -> None:
    async with local_server() as (_, client):
        name, password = "n" * 31, "p" * 255
        body = {"username": name + "a", "email": "a@example.org", "password": password + "a"}
        assert (await client.post("/login/register", json=body)).status_code == 201
        for typed_name, typed, status in (
            (name + "a", password + "a", 200),
            (name + "a", password + "b", 401),
            (name + "a", password, 401),
            (name + "b", password + "a", 401),
            ("N" * 31 + "A", password + "a", 200),
        ):
            answer = await client.post("/login", json={"username": typed_name, "password": typed})
            assert answer.status_code == status
        long_name = "e" * 255
        for typed_name in (long_name, long_name[:-1] + "f", long_name * 4):
            answer = await client.post("/login", json={"username": typed_name, "password": ""})
            assert answer.status_code == 400
            answer = await client.post("/login", json={"username": typed_name, "password": "x"})
            assert answer.status_code == 401
