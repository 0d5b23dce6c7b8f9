"""Faults that a test orders, as a client of the server meets them."""

import trio

from regserver import testing
from tests.system.server import listening
from tests.testing.test_server import PHONE, ask, begin, rpc

KEY = "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"


async def post(server: testing.TestedServer, room: int, token: str, content: str) -> int:
    answer = await ask(server, "POST", f"/room/post/{room}", token, json={"content": content})
    return answer.status_code


async def test_mail_waits_for_its_server() -> None:
    async with testing.server() as server:
        server.fail("smtp", "drop", times=2)
        await server.person("ada", verified=True)
        server.fail("smtp", "refuse", times=1)
        await ask(server, "POST", "/login/recover", json={"username": "ada"})
        with trio.move_on_after(0.1):
            await server.mailbox.wait()
            raise AssertionError("it was refused")
        server.clock.advance(seconds=10)
        assert (await server.mailbox.wait()).to == "ada@example.org"


async def test_a_store_that_refuses_is_said_to_be_down() -> None:
    async with testing.server() as server:
        ada = await server.person("ada")
        server.fail("store", times=1)
        assert (await ask(server, "GET", "/login/info", ada.token)).status_code == 503
        assert (await ask(server, "GET", "/login/info", ada.token)).status_code == 200
        server.fail("store")
        assert (await ask(server, "GET", "/health/ready")).status_code == 503
        server.heal()
        assert (await ask(server, "GET", "/health/ready")).status_code == 200


async def test_a_store_whose_link_drops_may_have_done_the_work() -> None:
    async with testing.server() as server:
        ada = await server.person("ada")
        room = await server.room(ada)
        server.fail("store", "drop", times=1)
        assert await post(server, room, ada.token, "once") == 503
        assert (await server.events.wait("posted", room=room)).content == "once"


async def test_a_slow_store_is_waited_for_by_the_clock() -> None:
    async with testing.server() as server, trio.open_nursery() as nursery:
        ada = await server.person("ada")
        room = await server.room(ada)
        server.fail("store", "slow", times=1, seconds=100)
        nursery.start_soon(post, server, room, ada.token, "late")
        while server.fails("store"):  # noqa: ASYNC110
            await trio.sleep(0.005)
        assert [event.kind for event in server.events.all] == ["created"]
        server.clock.advance(seconds=100)
        assert (await server.events.wait("posted")).content == "late"


async def test_a_source_fails_at_a_sign_in_or_amid_its_lines() -> None:
    async with testing.server() as server:
        server.source("ada")
        server.fail("source", times=1)
        answer = await ask(server, "POST", "/login", json={"username": "ada", "password": "right"})
        assert answer.status_code == 503
        location = await begin(server, "ada")
        async with listening(location) as listener:
            while (event := await listener.message())["eventType"] != "AUTHENTICATION":
                pass
        assert event["additionalData"]["userId"]
        server.fail("source", "drop", times=2)  # a use each of the check and of the lines


async def test_a_ledger_that_fails_leaves_the_last_step_to_be_repeated() -> None:
    async with testing.server() as server:
        await rpc(server, "firstStep", phone=PHONE, captcha="", captchaType="web")
        await rpc(server, "verify", phone=PHONE, code=(await server.sms.wait()).code)
        chosen = await rpc(server, "setUsername", phone=PHONE, username="ada")
        last = {
            "phone": PHONE,
            "username": "ada",
            "userId": chosen["result"]["userId"],
            "publicOwnerKey": KEY,
            "publicActiveKey": KEY,
        }
        server.fail("ledger", "drop", times=1)
        assert (await rpc(server, "toBlockChain", **last))["error"]["code"] == 500
        assert (await rpc(server, "toBlockChain", **last))["result"]["currentState"] == "registered"
