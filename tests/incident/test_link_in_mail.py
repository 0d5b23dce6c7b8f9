"""Links in mails begin with the configured address: no field of a request, through whatever peer, puts another host there.

Met elsewhere: a forged X-Forwarded-Host in the request for a mail, and the owner of the address followed a link to a stranger.
"""

import itertools
import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.system.server import local_server

OURS = "https://reg.example.org/accounts"
EVIL = "evil.example"
FORGED: tuple[dict[str, str], ...] = (
    {"host": EVIL},
    {"x-forwarded-host": EVIL},
    {"x-forwarded-host": EVIL, "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "http"},
    {"forwarded": f"for=192.0.2.7;host={EVIL};proto=http"},
    {"x-forwarded-prefix": f"//{EVIL}", "x-original-url": f"https://{EVIL}/", "x-rewrite-url": f"//{EVIL}"},
    {"x-forwarded-server": EVIL, "x-host": EVIL, "x-http-host-override": EVIL},
    {"origin": OURS[:23], "referer": f"https://{EVIL}/"},
)


async def sign_up_at_the_rooms(client: httpx.AsyncClient, number: int, fields: dict[str, str]) -> None:
    body = {
        "username": f"rooms{number}",
        "email": f"rooms{number}@example.org",
        "password": "a long password",
    }
    answer = await client.post("/login/register", json=body, headers=fields)
    assert answer.status_code == 201, answer.text
    token = {"authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.post("/login/email/resend", headers={**fields, **token})).status_code == 202


async def sign_up_at_the_directory(client: httpx.AsyncClient, number: int, fields: dict[str, str]) -> None:
    body = {
        "userName": f"Directory{number}",
        "email": f"directory{number}@example.org",
        "password": "a long password",
    }
    assert (await client.post("/init", json=body, headers=fields)).status_code == 200


async def ask_for_a_code(client: httpx.AsyncClient, number: int, fields: dict[str, str]) -> None:
    params = {"email": f"steps{number}@example.org", "captcha": "", "captchaType": "web"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "firstStepEmail", "params": params}
    assert "result" in (await client.post("/rpc", json=call, headers=fields)).json()


ASKED: tuple[Callable[[httpx.AsyncClient, int, dict[str, str]], Awaitable[None]], ...] = (
    sign_up_at_the_rooms,
    sign_up_at_the_directory,
    ask_for_a_code,
)


@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]], ids=["a stranger", "a trusted proxy"])
@pytest.mark.parametrize("kind", ["x-forwarded", "forwarded"])
async def test_no_field_of_a_request_is_in_a_link(trusted: list[str], kind: str) -> None:
    section = {"public_url": OURS, "trusted_proxies": trusted, "proxy_fields": kind}
    async with local_server(server=section) as (server, client):
        asked = list(itertools.product(ASKED, FORGED))
        for number, (ask, fields) in enumerate(asked):
            await ask(client, number, fields)
        links = 0
        for _ in range(len(asked) + len(FORGED)):
            mail = await server.mailbox.wait()
            for text in (mail.text, mail.html or ""):
                assert EVIL not in text
                found = re.findall(r"https?://[^\s\"'<>]+", text)
                assert all(link.startswith(f"{OURS}/") for link in found), found
                links += len(found)
        assert links >= 2 * len(FORGED)


async def test_no_field_of_a_request_is_in_the_links_of_a_change() -> None:
    """Of the mail to the new address, of that to the old one, and of the one that follows its use."""
    section = {"public_url": OURS, "trusted_proxies": ["127.0.0.1"]}
    async with local_server(server=section) as (server, client):

        async def mailed() -> str:
            """The secret in the next mail."""
            mail = await server.mailbox.wait()
            assert EVIL not in f"{mail.text}{mail.html}"
            (link,) = re.findall(r"https?://[^\s]+", mail.text)
            assert link.startswith(f"{OURS}/")
            return str(link.partition("#")[2])

        for number, fields in enumerate(FORGED):
            name, password = f"rooms{number}", "a long password"
            body = {"username": name, "email": f"{name}@example.org", "password": password}
            token = (await client.post("/login/register", json=body)).json()["token"]
            await client.post("/login/email/verify", json={"token": await mailed()})
            bearer = {"authorization": f"Bearer {token}"}
            body = {"password": password, "email": f"{name}@example.net"}
            await client.post("/login/email", json=body, headers={**fields, **bearer})
            for path in ("verify", "undo"):
                used = {"token": await mailed()}
                answer = await client.post(f"/login/email/{path}", json=used, headers=fields)
                assert answer.status_code == 200, answer.text
            await mailed()
