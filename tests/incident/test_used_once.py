"""A one-time secret works once, however many use it at the same moment; and with one wrong field beside it, not at all.

Met elsewhere: codes and links that were checked in one transaction and used up in another, so that parallel requests all
succeeded; and an `or` where each field had to be right.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.altcha import solve
from tests.peer.smtp import SmtpPeer, open_smtp_peer
from tests.system.server import Server, listening, local_server, open_server, sign_up
from tests.system.steps_client import KEY, StepsClient, logged_code

PARALLEL = 200
SOCKETS = 40
PHONE = "+380501112233"
FREE = ("limits.enabled=false",)
DIRECTORY = {"userName": "Directory1", "password": "directory phrase", "email": "dir@example.org"}


async def successes(use: Callable[[], Awaitable[bool]], times: int = PARALLEL) -> int:
    """How many of so many uses at once succeed."""
    outcomes: list[bool] = []

    async def one() -> None:
        outcomes.append(await use())

    async with trio.open_nursery() as nursery:
        for _ in range(times):
            nursery.start_soon(one)
    assert len(outcomes) == times
    return sum(outcomes)


def crowd(server: Server) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=50)
    return httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits)


def posting(
    client: httpx.AsyncClient, path: str, body: Any, status: int = 200
) -> Callable[[], Awaitable[bool]]:
    async def use() -> bool:
        answer = await client.post(path, json=body)
        assert answer.status_code < 500, answer.text
        return answer.status_code == status

    return use


async def secret_in_mail(peer: SmtpPeer, number: int) -> str:
    await peer.wait_received(number)
    found: str
    (found,) = set(re.findall(r"#([A-Za-z0-9_-]{16,})", peer.accepted[number - 1].part("plain")))
    return found


async def test_a_link_a_challenge_and_a_code(tmp_path: Path) -> None:
    async with open_smtp_peer() as (peer, _):
        mail = (f"mail.smtp=smtp://127.0.0.1:{peer.port}", "server.public_url=https://example.org")
        async with open_server(tmp_path, (*FREE, *mail)) as server, crowd(server) as client:
            await sign_up(client, "annabella")
            link = {"token": await secret_in_mail(peer, 1)}
            assert await successes(posting(client, "/login/email/verify", link)) == 1

            assert (await client.post("/init", json=DIRECTORY)).status_code == 200
            challenge = await secret_in_mail(peer, 2)
            assert await successes(posting(client, f"/{challenge}/confirm", None)) == 1

            steps = StepsClient(client)
            await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
            code = await logged_code(server, PHONE)

            async def verify() -> bool:
                return "result" in await steps.reply("verify", phone=PHONE, code=code)

            assert await successes(verify) == 1
            user_id = (await steps.call("setUsername", phone=PHONE, username="step-by-step"))["userId"]

            async def write() -> bool:
                return "result" in await steps.register("step-by-step", user_id, phone=PHONE)

            assert await successes(write, SOCKETS) == 1


async def test_a_ticket(tmp_path: Path) -> None:
    async with open_server(tmp_path, FREE) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        ticket = (await ann.post("/login/ticket"))["ticket"]

        async def connect() -> bool:
            async with listening(f"{server.socket_url}/room/websocket?ticket={ticket}&since=") as listener:
                with suppress(ConnectionClosed):
                    return (await listener.text()).startswith('{"type":"Resumed"')
            return False

        assert await successes(connect) == 1


async def test_an_idempotency_key_and_a_solved_puzzle(tmp_path: Path) -> None:
    settings = (*FREE, "captcha.kind=altcha", 'captcha.doors=["rooms"]', "captcha.work=4")
    async with open_server(tmp_path, settings) as server, crowd(server) as client:
        puzzle = (await client.get("/captcha/challenge")).json()
        solution = solve(puzzle)
        numbers = iter(range(PARALLEL))

        async def register() -> bool:
            name = f"person{next(numbers)}"
            body = {"username": name, "email": f"{name}@example.org", "password": "a long password"}
            answer = await client.post("/login/register", json={**body, "captcha": solution})
            assert answer.status_code in {201, 400}, answer.text
            tokens.append(answer.json().get("token"))
            return answer.status_code == 201

        tokens: list[str | None] = []
        assert await successes(register, SOCKETS) == 1
        (token,) = filter(None, tokens)
        bearer = {"authorization": f"Bearer {token}"}
        room = (await client.post("/room/create", json={}, headers=bearer)).json()["roomId"]

        async def post() -> bool:
            headers = {**bearer, "idempotency-key": "one"}
            answer = await client.post(f"/room/post/{room}", json={"content": "x"}, headers=headers)
            return answer.status_code == 200

        assert await successes(post) == PARALLEL  # each gets the one answer
        shown = (await client.get(f"/room/info/{room}", headers=bearer)).json()["room"]
        assert len(shown["posts"]) == 1


async def test_first_sign_ins_begin_one_registration(tmp_path: Path) -> None:
    async with open_server(tmp_path, FREE) as server, crowd(server) as client:
        locations: set[str] = set()

        async def begin() -> bool:
            body = {"username": "alan", "password": "enigma bombe"}
            answer = await client.post("/login", json=body)
            assert answer.status_code in {303, 503}, answer.text  # 503: too many hashes wait
            locations.update(filter(None, [answer.headers.get("location")]))
            return True

        await successes(begin, SOCKETS)
        assert len(locations) == 1


STEP = {"username": "step-by-step", "publicOwnerKey": KEY, "publicActiveKey": KEY, "phone": PHONE}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("username", "somebody-else"),
        ("userId", "reg1aaaaaaaa"),
        ("phone", "+380501112234"),
        ("token", "regr_" + "x" * 43),
        ("publicOwnerKey", KEY[:-1] + "X"),
        ("publicActiveKey", KEY[:-1] + "X"),
    ],
)
async def test_one_wrong_field_is_refused_and_uses_nothing_up(field: str, wrong: str) -> None:
    async with local_server() as (server, client):
        steps = StepsClient(client)
        await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
        code = (await server.sms.wait(PHONE)).code
        for bad in (code[:-1] + str((int(code[-1]) + 1) % 10), code[::-1] + "0"):
            assert "error" in await steps.reply("verify", phone=PHONE, code=bad)
        token = (await steps.call("verify", phone=PHONE, code=code, wantToken=True))["token"]
        chosen = {"phone": PHONE, "username": "step-by-step", "token": token}
        user_id = (await steps.call("setUsername", **chosen))["userId"]
        right = {**STEP, "userId": user_id, "token": token}
        assert "error" in await steps.reply("toBlockChain", **{**right, field: wrong})
        done = await steps.call("toBlockChain", **right)
        assert done["currentState"] == "registered"


def one_wrong(right: dict[str, str], fields: Sequence[str]) -> list[dict[str, str]]:
    return [{**right, field: right[field][:-1] + "~"} for field in fields]


async def test_a_password_and_a_name_must_both_be_right() -> None:
    async with local_server(live={"source": "none"}) as (_, client):
        await sign_up(client, "annabella")
        right = {"username": "annabella", "password": "annabella's long password"}
        for path in ("/login", "/user/login", "/login/restore"):
            for wrong in one_wrong(right, ("username", "password")):
                assert (await client.post(path, json=wrong)).status_code == 401
            assert (await client.post(path, json=right)).status_code == 200
