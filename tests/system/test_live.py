"""Sign-in and live registration on the started server."""

import uuid
from pathlib import Path

import httpx
import trio

from tests.system.server import (
    FROM_ROSTER,
    ROSTER,
    Listener,
    Message,
    Server,
    listening,
    local_server,
    open_server,
)

ADA = {"username": "ada", "password": "correct horse battery"}
KEYS = ["eventType", "step", "totalSteps", "message", "additionalData"]


async def watch(listener: Listener) -> list[Message]:
    """All events up to the last one."""
    events: list[Message] = []
    while not events or events[-1]["eventType"] not in {"AUTHENTICATION", "FAILURE"}:
        events.append(await listener.message())
    return events


async def test_first_sign_in_is_watched_to_its_token(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        response = await client.post("/login", json=ADA)
        assert response.status_code == 303
        location = response.headers["location"]
        assert response.json() == {"location": location}
        assert response.headers["cache-control"] == "no-store"
        prefix, _, identity = location.rpartition("/u-")
        assert prefix == f"{server.socket_url}/register"
        assert uuid.UUID(identity).version == 4

        async with listening(location) as listener:
            events = await watch(listener)
            assert await listener.close_code() == 1000

        assert all(list(event) == KEYS for event in events)
        kinds = [event["eventType"] for event in events]
        assert kinds == ["INFORMATION"] * 6 + ["NAME", "AUTHENTICATION"]
        assert [event["step"] for event in events] == [1, 2, 3, 4, 5, 6, 6, 6]
        assert {event["totalSteps"] for event in events} == {6}
        assert events[0]["additionalData"] == {}
        assert events[6]["additionalData"] == {
            "firstName": "Ada",
            "middleName": "King",
            "lastName": "Lovelace",
        }
        granted = events[7]["additionalData"]
        assert list(granted) == ["userId", "token"]

        again = await client.post("/user/login/", json=ADA)
        assert again.status_code == 200
        assert again.json()["userId"] == granted["userId"]
        assert again.json()["expiresIn"] == 864000
        await _token_works(client, granted["token"], granted["userId"])


async def _token_works(client: httpx.AsyncClient, token: str, user_id: int) -> None:
    bearer = {"authorization": f"Bearer {token}"}
    info = await client.get("/login/info", headers=bearer)
    assert info.json()["user"]["userId"] == user_id
    created = await client.post("/room/create", headers=bearer, json={"name": "engines"})
    assert created.json()["roomId"] > 0


async def test_late_and_many_observers_see_the_same() -> None:
    async with local_server(live=FROM_ROSTER) as (_, client):
        location = (await client.post("/login", json=ADA)).headers["location"]
        async with listening(location) as first:
            events = await watch(first)
        seen: list[list[Message]] = []

        async def observe() -> None:
            async with listening(location) as late:
                seen.append(await watch(late))
                assert await late.close_code() == 1000

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(observe)
        assert seen == [events] * 5


async def test_fifty_first_sign_ins_are_one_registration(tmp_path: Path) -> None:
    # Slow enough that the last sign-in still finds it running.
    slow = tmp_path / "slow.toml"
    slow.write_text(ROSTER.read_text().replace("[[user]]", '[[user]]\ndelay = "5s"', 1))
    async with local_server(live={"source": "file", "file": {"path": str(slow)}}) as (_, client):
        locations: set[str] = set()

        async def sign_in() -> None:
            response = await client.post("/login", json=ADA)
            assert response.status_code == 303
            locations.add(response.headers["location"])

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(sign_in)
        assert len(locations) == 1


async def test_refusals() -> None:
    async with local_server(live=FROM_ROSTER) as (server, client):
        wrong = await client.post("/login", json={**ADA, "password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (401, {"error": "BadCredentials"})
        unknown = await client.post("/login", json={"username": "nobody", "password": "wrong"})
        assert (unknown.status_code, unknown.json()) == (401, {"error": "BadCredentials"})
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"username": "ada"}',
            b'{"username": "", "password": "x"}',
            b'{"a": NaN}',
        ):
            malformed = await client.post(
                "/login", content=body, headers={"content-type": "application/json"}
            )
            assert (malformed.status_code, malformed.json()) == (400, {"error": "BadJson"}), body
        form = await client.post("/login", data=ADA)
        assert (form.status_code, form.json()) == (415, {"error": "BadContentType"})
        large = await client.post("/login", content=b"x" * 70_000)
        assert (large.status_code, large.json()) == (413, {"error": "BodyTooLarge"})
        async with listening(f"{server.socket_url}/register/u-{uuid.uuid4()}") as listener:
            assert await listener.close_code() == 1008


async def test_browser_code_is_answered_202() -> None:
    async with local_server(live=FROM_ROSTER) as (_, client):
        response = await client.post("/login", json=ADA, headers={"prefer": "respond-async"})
        assert response.status_code == 202
        assert response.json()["location"] == response.headers["location"]


async def test_shutdown_fails_the_running_registration(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        location = (await client.post("/login", json=ADA)).headers["location"]
        async with listening(location) as listener:
            assert (await listener.message())["eventType"] == "INFORMATION"
            server.process.terminate()
            events = await watch(listener)
            assert events[-1]["eventType"] == "FAILURE"
            assert await listener.close_code() == 1001
        with trio.fail_after(10):
            assert await server.process.wait() == 0


async def test_a_killed_server_leaves_the_user_unregistered_or_whole(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        location = (await client.post("/login", json=ADA)).headers["location"]
        async with listening(location) as listener:
            await listener.message()
            server.process.kill()
            await server.process.wait()
    async with open_server(tmp_path) as server, server.client() as client:
        assert (await client.post("/login", json=ADA)).status_code == 303


async def test_nothing_secret_is_logged(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        location = (await client.post("/login", json=ADA)).headers["location"]
        async with listening(location) as listener:
            token = (await watch(listener))[-1]["additionalData"]["token"]
        assert token.startswith("regs_")
        async with listening(f"{server.socket_url}/room/websocket?token={token}"):
            await client.get(f"/room/websocket?token={token}")
        assert await server.stop() == 0
        await _assert_silent(server, token, location.rpartition("/")[2], ADA["password"])


async def _assert_silent(server: Server, *secrets: str) -> None:
    for secret in secrets:
        assert secret not in server.printed
