"""One account behind four doors: a name taken at one is taken at all, and a password works where there is one."""

from typing import Any

import httpx

from tests.system.server import FROM_ROSTER, AnyServer, listening, local_server, sign_up
from tests.system.steps_client import sent_code
from tests.system.test_live import ADA, watch

PHONE = "+380000000001"
OWNER_KEY = "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"


async def rpc(client: httpx.AsyncClient, method: str, **parameters: object) -> dict[str, Any]:
    answer = await client.post(
        "/rpc", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    )
    assert answer.status_code == 200
    reply: dict[str, Any] = answer.json()
    return reply


async def claim(server: AnyServer, client: httpx.AsyncClient, username: str) -> dict[str, Any]:
    """A steps registration up to its chosen user name."""
    first = await rpc(client, "firstStep", phone=PHONE, captcha="", captchaType="web")
    assert first["result"]["currentState"] == "verify"
    code = await sent_code(server, PHONE)
    assert (await rpc(client, "verify", phone=PHONE, code=code))["result"]["currentState"] == "setUsername"
    return await rpc(client, "setUsername", phone=PHONE, username=username)


async def init(client: httpx.AsyncClient, username: str) -> dict[str, Any]:
    body = {
        "userName": username,
        "password": "rather long",
        "email": f"{username}@mail.example",
        "languageCode": "en",
    }
    answer: dict[str, Any] = (await client.post("/init", json=body)).json()
    return answer


def problems(answer: dict[str, Any]) -> list[str]:
    return [error["id"] for error in answer["errors"]]


async def test_a_rooms_name_is_taken_everywhere() -> None:
    async with local_server() as (server, client):
        await sign_up(client, "rosalind")
        assert (await client.get("/ROSALIND/check")).json() == {"exists": True}
        assert problems(await init(client, "Rosalind")) == ["EXISTING_USER_NAME"]
        assert (await claim(server, client, "rosalind"))["error"]["code"] == 1106


async def test_a_roster_name_is_taken_everywhere_from_the_start() -> None:
    async with local_server(live=FROM_ROSTER) as (server, client):
        body = {"username": "Grace", "email": "grace@example.org", "password": "a long password"}
        taken = await client.post("/login/register", json=body)
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
        assert (await client.get("/GRACE/check")).json() == {"exists": True}
        assert problems(await init(client, "Grace")) == ["EXISTING_USER_NAME"]
        assert (await claim(server, client, "grace"))["error"]["code"] == 1106
        hers = await client.post("/login", json={"username": "grace", "password": "nanosecond wire"})
        assert hers.status_code == 303


async def test_a_live_name_is_taken_everywhere() -> None:
    async with local_server(live=FROM_ROSTER) as (server, client):
        location = (await client.post("/login", json=ADA)).headers["location"]
        body = {"username": "Ada", "email": "ada@example.org", "password": "a long password"}
        for _ in ("while the registration runs", "afterwards"):
            taken = await client.post("/login/register", json=body)
            assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
            async with listening(location) as listener:
                await watch(listener)
        assert (await claim(server, client, "ada"))["error"]["code"] == 1106


async def test_a_steps_claim_is_taken_everywhere() -> None:
    async with local_server() as (server, client):
        assert (await claim(server, client, "rosalind"))["result"]["currentState"] == "toBlockChain"
        body = {"username": "rosalind", "email": "rosalind@example.org", "password": "a long password"}
        taken = await client.post("/login/register", json=body)
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
        assert problems(await init(client, "rosalind")) == ["EXISTING_USER_NAME"]


async def test_sign_in_tells_nobody_which_names_there_are() -> None:
    async with local_server(live=FROM_ROSTER) as (_, client):
        await sign_up(client, "bob")
        answers = [
            await client.post("/login", json={"username": name, "password": "wrong"})
            for name in ("bob", "ada", "nobody", "x" * 300, "\u0000")
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {
            (401, b'{"error":"BadCredentials"}')
        }


async def test_a_switch_without_a_value_is_on() -> None:
    async with local_server() as (_, client):
        ann = await sign_up(client, "ann")
        login = {"username": "ann", "password": "ann's long password"}
        tokens = [(await client.post("/login", json=login)).json()["token"] for _ in range(4)]
        bearers = [{"authorization": f"Bearer {token}"} for token in tokens]
        for query, ended in (("?all=false", 1), ("?all", 4)):
            answer = await client.delete(f"/login/token{query}", headers=bearers[ended - 1])
            assert answer.status_code == 204
            statuses = [(await client.get("/login/info", headers=one)).status_code for one in bearers]
            assert statuses == ([401, 200, 200, 200] if ended == 1 else [401] * 4)
        assert (await ann.call("GET", "/login/info")).status_code == 401
