"""Passwords on the running server: Unicode forms, common ones, and a crowd that signs in wrongly."""

import json
import unicodedata
from pathlib import Path

import httpx
import pytest
import trio

from tests.system.server import local_server, open_server, sign_up

NFC = "p\u00e4ssw\u00f6rter-lang"
NFD = unicodedata.normalize("NFD", NFC)
ROSTER = f"""
[[user]]
username = "grace"
password = "{NFC}"
first_name = "Grace"
last_name = "Hopper"
"""


async def sign_in(client: httpx.AsyncClient, name: str, password: str) -> int:
    body = json.dumps({"username": name, "password": password}).encode()
    response = await client.post("/login", content=body, headers={"content-type": "application/json"})
    return response.status_code


async def test_one_password_on_every_keyboard(tmp_path: Path) -> None:
    """Set on one system as NFC and typed on another as NFD, at the room door and at a file source."""
    (tmp_path / "people.toml").write_text(ROSTER)
    async with (
        open_server(tmp_path, [f"live.file.path={tmp_path / 'people.toml'}"]) as server,
        server.client() as client,
    ):
        for name, set_as, typed in (("amy", NFC, NFD), ("bob", NFD, NFC)):
            body = {"username": name, "email": f"{name}@example.org", "password": set_as}
            assert (await client.post("/login/register", json=body)).status_code == 201
            assert await sign_in(client, name, typed) == 200
            assert await sign_in(client, name, set_as) == 200
        assert await sign_in(client, "grace", NFD) == 303


@pytest.mark.parametrize(
    "password", ["123456", "12345678", "Password", "iloveyou", "dorothy7", "Dorothy7@example.org"]
)
async def test_no_door_takes_a_password_that_is_tried_first(password: str) -> None:
    async with local_server() as (_, client):
        own = {"email": "dorothy7@example.org", "password": password}
        rooms = await client.post("/login/register", json={"username": "dorothy7", **own})
        assert (rooms.status_code, rooms.json()) == (400, {"error": "BadPassword"})
        directory = await client.post("/init", json={"userName": "dorothy7", **own})
        assert directory.status_code == 400
        assert [error["id"] for error in directory.json()["errors"]] == ["INVALID_PASSWORD"]


async def test_a_crowd_of_one_network_does_not_keep_others_out(tmp_path: Path) -> None:
    """Far more sign-ins than can be answered in time: those of another network have their turn, those who left cost nothing."""
    settings = (
        "password.memory=32MiB",
        "password.time_cost=3",
        'server.trusted_proxies=["127.0.0.1"]',
        "live.source=none",
    )
    async with open_server(tmp_path, settings) as server, server.client() as client:
        await sign_up(client, "ann")
        statuses: list[int] = []

        async def wrong(number: int) -> None:
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as own:
                own.headers["x-forwarded-for"] = "192.0.2.1"
                statuses.append(await sign_in(own, f"nobody-{number}", "wrong"))

        async with trio.open_nursery() as nursery:
            for number in range(300):
                nursery.start_soon(wrong, number)
            await trio.sleep(0.5)
            client.headers["x-forwarded-for"] = "198.51.100.1"
            assert await sign_in(client, "ann", "ann's long password") == 200
        assert set(statuses) <= {401, 503}


async def test_a_hash_that_comes_too_late_says_when_to_come_again(tmp_path: Path) -> None:
    settings = ("password.memory=256MiB", "password.time_cost=10", "live.source=none")
    async with open_server(tmp_path, settings) as server:
        answers: list[httpx.Response] = []

        async def wrong() -> None:
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as own:
                answers.append(await own.post("/login", json={"username": "nobody", "password": "wrong"}))

        async with trio.open_nursery() as nursery:
            for _ in range(40):
                nursery.start_soon(wrong)
    busy = [answer for answer in answers if answer.status_code == 503]
    assert busy
    assert all(
        answer.json() == {"error": "ServerBusy"} and int(answer.headers["retry-after"]) >= 1
        for answer in busy
    )
