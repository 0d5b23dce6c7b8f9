"""The built-in captcha on a running server: each door refuses in its own style, and takes each solution once."""

from pathlib import Path
from typing import Any

import httpx

from tests.altcha import solve
from tests.directory import PASSWORD
from tests.steps import code_in
from tests.system.server import open_server
from tests.system.steps_client import StepsClient

SETTINGS = ("captcha.kind=altcha", 'captcha.doors=["steps", "rooms", "directory"]', "captcha.work=4")
PHONE = "+380000000000"


async def solved(client: httpx.AsyncClient) -> str:
    response = await client.get("/captcha/challenge")
    assert response.headers["cache-control"] == "no-store"
    return solve(response.json())


async def test_each_door_refuses_in_its_own_style_and_takes_a_solution_once(tmp_path: Path) -> None:
    async with open_server(tmp_path, SETTINGS) as server, server.client() as client:
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


async def test_doors_that_demand_none_are_open_as_ever(tmp_path: Path) -> None:
    settings = ("captcha.kind=altcha", 'captcha.doors=["rooms"]')
    async with open_server(tmp_path, settings) as server, server.client() as client:
        steps = StepsClient(client)
        await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
        line = await server.wait_line(lambda line: "SMS" in line["message"])
        assert code_in(line["message"].replace(PHONE, ""))
    async with open_server(tmp_path, ()) as server, server.client() as client:
        assert (await client.get("/captcha/challenge")).status_code == 404
