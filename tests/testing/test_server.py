"""The server for tests of others, in the loop of the test."""

from typing import Any

import httpx
import pytest
import trio

from regserver import client, testing
from regserver.config import ConfigFault
from tests.system.server import listening

PHONE = "+380501112233"


async def ask(
    server: testing.TestedServer, method: str, path: str, token: str = "", **more: object
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=server.url) as client:
        return await client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]


async def rpc(server: testing.TestedServer, method: str, **params: object) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer: dict[str, Any] = (await ask(server, "POST", "/rpc", json=body)).json()
    return answer


async def test_each_server_has_a_store_of_its_own() -> None:
    async with testing.server() as one, testing.server() as other:
        assert one.url != other.url
        ada = await one.person("ada")
        assert (await ask(one, "GET", "/login/info", ada.token)).json()["user"]["username"] == "ada"
        assert (await ask(other, "GET", "/login/info", ada.token)).json() == {"error": "BadToken"}


async def test_settings_are_those_of_the_file() -> None:
    async with testing.server(login={"token_ttl": "1h"}, signup={"mode": "closed"}) as server:
        answer = await ask(
            server,
            "POST",
            "/login/register",
            json={"username": "ada", "email": "a@b.org", "password": "quite a good one"},
        )
        assert answer.json() == {"error": "RegistrationClosed"}
    with pytest.raises(ConfigFault, match=r"did you mean login\.token_ttl"):
        async with testing.server(login={"token_tl": "1h"}):
            pass


async def test_mail_is_read_with_its_links_and_codes() -> None:
    async with testing.server() as server:
        await server.person("ada", verified=True)
        await ask(server, "POST", "/login/recover", json={"username": "ada"})
        mail = await server.mailbox.wait("ada@example.org", subject="password")
        assert mail.links[0].startswith(f"{server.url}/recover")
        assert mail.token in mail.links[0]
        await ask(server, "POST", "/login/code", json={"email": "ada@example.org"})
        code = (await server.mailbox.wait("ada@example.org")).codes[0]
        answer = await ask(
            server, "POST", "/login/code/verify", json={"email": "ada@example.org", "code": code}
        )
        assert answer.status_code == 200
        with pytest.raises(
            trio.TooSlowError, match=r"to='ben@example.org' in 0.05 s; so far: 'Verify.* to ada@"
        ):
            await server.mailbox.wait("ben@example.org", seconds=0.05)
        with pytest.raises(trio.TooSlowError, match=r"no new SMS in 0.05 s; so far: nothing"):
            await server.sms.wait(seconds=0.05)
        with pytest.raises(trio.TooSlowError, match=r"no new event with kind='left'"):
            await server.events.wait("left", seconds=0.05)


async def test_an_sms_is_read_with_its_code() -> None:
    async with testing.server() as server:
        await rpc(server, "firstStep", phone=PHONE, captcha="", captchaType="web")
        code = (await server.sms.wait(PHONE)).code
        assert (await rpc(server, "verify", phone=PHONE, code=code))["result"] == {
            "currentState": "setUsername"
        }


async def test_tokens_and_their_sockets_follow_the_clock() -> None:
    async with testing.server(login={"token_ttl": "1h"}) as server:
        ada = await server.person("ada")
        async with listening(f"{server.socket_url}/room/websocket?token={ada.token}") as listener:
            server.clock.advance(minutes=59)
            assert (await ask(server, "GET", "/login/info", ada.token)).status_code == 200
            server.clock.advance(minutes=2)
            assert await listener.text() == "BadToken"
        assert (await ask(server, "GET", "/login/info", ada.token)).status_code == 401


async def test_codes_follow_the_clock() -> None:
    async with testing.server() as server:
        await rpc(server, "firstStep", phone=PHONE, captcha="", captchaType="web")
        code = (await server.sms.wait(PHONE)).code
        early = await rpc(server, "resendSmsCode", phone=PHONE)
        server.clock.advance(seconds=46)
        assert "error" in early
        assert "result" in await rpc(server, "resendSmsCode", phone=PHONE)
        server.clock.advance(minutes=11)
        assert "error" in await rpc(server, "verify", phone=PHONE, code=code)


async def test_erasure_follows_the_clock() -> None:
    async with testing.server() as server:
        ada, ben = await server.person("ada"), await server.person("ben")
        room = await server.room(ada, ben)
        await ask(server, "DELETE", "/login/delete", ben.token)
        assert (await server.events.wait("left", room=room)).actor == ben.id
        sign_in = {"username": "ben", "password": ben.password}
        assert (await ask(server, "POST", "/login", json=sign_in)).status_code == 410
        server.clock.advance(days=8)
        with trio.fail_after(10):
            while (answer := await ask(server, "POST", "/login", json=sign_in)).status_code == 410:  # noqa: ASYNC110
                await trio.sleep(0.01)
        assert answer.json() == {"error": "BadCredentials"}


async def test_the_deadline_and_replay_of_a_live_registration_follow_the_clock() -> None:
    async with testing.server() as server:
        server.source("ada", lines=[{"step": 1, "totalSteps": 2, "message": "One"}, 100.0])
        location = await begin(server, "ada")
        async with listening(location) as listener:
            assert (await listener.message())["message"] == "One"
            server.clock.advance(seconds=61)
            assert (await listener.message())["eventType"] == "FAILURE"
            assert await listener.close_code() == 1000
        await server.person("ben")  # behind whose commit the end of the registration is written
        server.clock.advance(seconds=61)
        async with listening(location) as late:
            assert await late.close_code() == 1008


async def begin(server: testing.TestedServer, username: str) -> str:
    answer = await ask(server, "POST", "/login", json={"username": username, "password": "right"})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_retention_follows_the_clock() -> None:
    async with testing.server() as server:
        ada, ben = await server.person("ada"), await server.person("ben")
        room = await server.room(ada, ben)
        async with client.open_client(server.url, ben.token) as there:
            async with there.events() as events:
                cursor = events.cursor
            for content in ("one", "two"):  # the newest event of a log is always kept
                await ask(server, "POST", f"/room/post/{room}", ada.token, json={"content": content})
            server.clock.advance(days=8)
            with trio.fail_after(10):
                while True:  # until the log was trimmed
                    async with there.events(cursor) as events:
                        if isinstance(await anext(events), client.Gap):
                            break


async def test_time_does_not_go_back() -> None:
    async with testing.server() as server:
        with pytest.raises(ValueError, match="back"):
            server.clock.advance(hours=-1)


async def test_rate_limits_follow_the_clock_where_they_are_on() -> None:
    async with testing.server(limits={"enabled": True, "routes": {"page": "1/1m"}}) as server:
        statuses = [(await ask(server, "GET", "/")).status_code for _ in range(2)]
        server.clock.advance(minutes=1)
        statuses.append((await ask(server, "GET", "/")).status_code)
        assert statuses == [200, 429, 200]


async def test_a_start_makes_nothing_that_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    page, authorities = "regserver.web.site.page.render_pages", "httpx.create_ssl_context"
    for name in (page, authorities):
        monkeypatch.setattr(name, lambda *given, name=name, **more: made.append(name))
    async with testing.server():
        assert made == []


async def test_the_page_is_made_once_for_all_who_ask_first() -> None:
    pages: list[bytes] = []
    async with testing.server() as server:

        async def open_page() -> None:
            pages.append((await ask(server, "GET", "/")).content)

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(open_page)
    assert len(pages) == 5
    assert len(set(pages)) == 1
    assert b"<html" in pages[0]
