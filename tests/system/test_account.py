"""One account behind four doors: a name taken at one is taken at all, and a password works where there is one."""

import re
from pathlib import Path
from typing import Any

import httpx

from tests.system.server import Server, listening, open_server, sign_up
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


async def logged_code(server: Server, *, where: str) -> str:
    line = await server.wait_line(lambda line: where in str(line) and line.get("logger") == "regserver.sms")
    found = re.search(r"\b[1-9]\d{5}\b", line["message"].replace(where, ""))
    assert found is not None, line
    return found.group()


async def claim(server: Server, client: httpx.AsyncClient, username: str) -> dict[str, Any]:
    """A steps registration up to its chosen user name."""
    first = await rpc(client, "firstStep", phone=PHONE, captcha="", captchaType="web")
    assert first["result"]["currentState"] == "verify"
    code = await logged_code(server, where=PHONE)
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


async def test_a_rooms_name_is_taken_everywhere(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "rosalind")
        assert (await client.get("/ROSALIND/check")).json() == {"exists": True}
        assert problems(await init(client, "Rosalind")) == ["EXISTING_USER_NAME"]
        assert (await claim(server, client, "rosalind"))["error"]["code"] == 1106


async def test_a_roster_name_is_taken_everywhere_from_the_start(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        body = {"username": "Grace", "email": "grace@example.org", "password": "a long password"}
        taken = await client.post("/login/register", json=body)
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
        assert (await client.get("/GRACE/check")).json() == {"exists": True}
        assert problems(await init(client, "Grace")) == ["EXISTING_USER_NAME"]
        assert (await claim(server, client, "grace"))["error"]["code"] == 1106
        hers = await client.post("/login", json={"username": "grace", "password": "nanosecond wire"})
        assert hers.status_code == 303


async def test_a_live_name_is_taken_everywhere(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        location = (await client.post("/login", json=ADA)).headers["location"]
        body = {"username": "Ada", "email": "ada@example.org", "password": "a long password"}
        for _ in ("while the registration runs", "afterwards"):
            taken = await client.post("/login/register", json=body)
            assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
            async with listening(location) as listener:
                await watch(listener)
        assert (await claim(server, client, "ada"))["error"]["code"] == 1106


async def test_a_steps_claim_is_taken_everywhere(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        assert (await claim(server, client, "rosalind"))["result"]["currentState"] == "toBlockChain"
        body = {"username": "rosalind", "email": "rosalind@example.org", "password": "a long password"}
        taken = await client.post("/login/register", json=body)
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
        assert problems(await init(client, "rosalind")) == ["EXISTING_USER_NAME"]


async def test_sign_in_tells_nobody_which_names_there_are(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "bob")
        answers = [
            await client.post("/login", json={"username": name, "password": "wrong"})
            for name in ("bob", "ada", "nobody", "x" * 300, "\u0000")
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {
            (401, b'{"error":"BadCredentials"}')
        }


async def test_a_switch_without_a_value_is_on(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
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
