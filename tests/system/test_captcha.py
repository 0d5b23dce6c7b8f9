"""The built-in captcha on a running server: each door refuses in its own style, and takes each solution once."""

from typing import Any

import httpx

from tests.altcha import solve
from tests.directory import PASSWORD
from tests.system.server import local_server
from tests.system.steps_client import StepsClient

SECTION = {"kind": "altcha", "doors": ["steps", "rooms", "directory"], "work": 4}
PHONE = "+380000000000"


async def solved(client: httpx.AsyncClient) -> str:
    response = await client.get("/captcha/challenge")
    assert response.headers["cache-control"] == "no-store"
    return solve(response.json())


async def test_each_door_refuses_in_its_own_style_and_takes_a_solution_once() -> None:
    async with local_server(captcha=SECTION) as (_, client):
        steps = StepsClient(client)

        async def first_step(captcha: str) -> Any:
            return await steps.reply("firstStepEmail", email="ada@example.org", captcha=captcha)

        async def register(captcha: str, **headers: str) -> httpx.Response:
            body = {"username": "zoe", "email": "z@example.org", "password": "a long enough password"}
            return await client.post("/login/register", json={**body, "captcha": captcha}, headers=headers)

        async def init(captcha: str) -> httpx.Response:
            body = {"userName": "Alice", "password": PASSWORD, "email": "alice@example.org"}
            return await client.post("/init", json={**body, "captcha": captcha})

        used = await solved(client)
        for captcha in ("", "x", used[:-8]):
            assert (await first_step(captcha))["error"]["code"] == 1103
            assert (await register(captcha)).json() == {"error": "BadCaptcha"}
            refused = await init(captcha)
            assert (refused.status_code, refused.json()["id"]) == (400, "INVALID_CAPTCHA")
        assert (await init(used)).json()["id"] == "INIT_DONE"
        # Spent at one door, spent at all.
        assert (await first_step(used))["error"]["code"] == 1103
        assert (await register(used)).status_code == 400
        assert "result" in await first_step(await solved(client))

        key = {"idempotency-key": "one"}
        captcha = await solved(client)
        assert (await register(captcha, **key)).status_code == 201
        # A client that has not read the answer repeats the request as it was, or with a new solution.
        assert (await register(captcha, **key)).status_code == 201
        assert (await register(await solved(client), **key)).status_code == 201


async def test_doors_that_demand_none_are_open_as_ever() -> None:
    async with local_server(captcha={"kind": "altcha", "doors": ["rooms"]}) as (server, client):
        steps = StepsClient(client)
        await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
        assert (await server.sms.wait(PHONE)).code
    async with local_server() as (_, client):
        assert (await client.get("/captcha/challenge")).status_code == 404
