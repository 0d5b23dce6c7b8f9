"""A secret of one purpose, account or flow never works for another: each kind is tried wherever a secret is taken.

Met elsewhere: codes and tokens that were not bound to the flow that had issued them, so that somebody's own good one opened
somebody else's account.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
from trio_websocket import ConnectionClosed

from regserver import testing
from tests.incident.test_used_once import DIRECTORY, PHONE
from tests.system.server import FROM_ROSTER, Person, listening, local_server, sign_up
from tests.system.steps_client import StepsClient

Use = Callable[[str], Awaitable[bool]]
REGISTERING, SIGNING_IN = "+380501112201", "+380501112202"
"""Numbers that were each sent a code, one to register and one to sign in."""


async def mailed(server: testing.TestedServer) -> str:
    """The secret in the next mail."""
    return (await server.mailbox.wait()).token


async def verified(server: testing.TestedServer, client: httpx.AsyncClient, name: str) -> Person:
    person = await sign_up(client, name)
    body = {"token": await mailed(server)}
    assert (await client.post("/login/email/verify", json=body)).status_code == 200
    return person


async def undo_link(server: testing.TestedServer, client: httpx.AsyncClient) -> str:
    bea = await verified(server, client, "beatrice")
    body = {"password": "beatrice's long password", "email": "bea@example.net"}
    assert (await bea.call("POST", "/login/email", body)).status_code == 202
    body = {"token": await mailed(server)}
    assert (await client.post("/login/email/verify", json=body)).status_code == 200
    return await mailed(server)


async def recovery_link(server: testing.TestedServer, client: httpx.AsyncClient) -> str:
    await verified(server, client, "cordelia")
    await client.post("/login/recover", json={"username": "cordelia"})
    return await mailed(server)


async def issued(server: testing.TestedServer, client: httpx.AsyncClient) -> dict[str, str]:
    """A fresh secret of every kind, by its kind."""
    ann = await sign_up(client, "annabella")
    link = await mailed(server)
    assert (await client.post("/init", json=DIRECTORY)).status_code == 200
    challenge = await mailed(server)
    steps = StepsClient(client)
    await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
    code = (await server.sms.wait(PHONE)).code
    proof = (await steps.call("verify", phone=PHONE, code=code, wantToken=True))["token"]
    await steps.call("firstStep", phone=SIGNING_IN, captcha="", captchaType="web")
    sent = await server.sms.wait(SIGNING_IN)
    user_id = await steps.to_named(SIGNING_IN, "with-a-number", sent.code)
    assert "result" in await steps.register("with-a-number", user_id, phone=SIGNING_IN)
    assert (await client.post("/login/code", json={"phone": SIGNING_IN})).status_code == 202
    signing_in = (await server.sms.wait(SIGNING_IN)).code
    await steps.call("firstStep", phone=REGISTERING, captcha="", captchaType="web")
    body = {"username": "alan", "password": "enigma bombe"}
    location = (await client.post("/login", json=body)).headers["location"]
    async with listening(f"{server.socket_url}/room/websocket?token={ann.token}&since=") as listener:
        cursor = (await listener.message())["cursor"]
    return {
        "session": ann.token,
        "ticket": (await ann.post("/login/ticket"))["ticket"],
        "link": link,
        "undo": await undo_link(server, client),
        "recovery": await recovery_link(server, client),
        "challenge": challenge,
        "proof": proof,
        "registration": location.rpartition("/")[2],
        "cursor": cursor,
        "code of the steps": (await server.sms.wait(REGISTERING)).code,
        "code to sign in": signing_in,
    }


def uses(server: testing.TestedServer, client: httpx.AsyncClient, own: str) -> dict[str, Use]:
    """Where each kind is good. own: a session that a cursor is tried with."""
    steps = StepsClient(client)

    async def bearer(secret: str) -> bool:
        headers = {"authorization": f"Bearer {secret}"}
        return (await client.get("/login/info", headers=headers)).status_code == 200

    async def socket(query: str) -> bool:
        async with listening(f"{server.socket_url}/room/websocket?{query}") as listener:
            with suppress(ConnectionClosed):
                return (await listener.text()).startswith('{"type":"Resumed"')
        return False

    async def verify(secret: str) -> bool:
        return (await client.post("/login/email/verify", json={"token": secret})).status_code == 200

    async def undo(secret: str) -> bool:
        return (await client.post("/login/email/undo", json={"token": secret})).status_code == 200

    async def recover(secret: str) -> bool:
        body = {"token": secret, "password": "another long phrase"}
        return (await client.post("/login/recover/finish", json=body)).status_code == 200

    async def confirm(secret: str) -> bool:
        return (await client.post(f"/{secret}/confirm")).status_code == 200

    async def step(secret: str) -> bool:
        reply = await steps.reply("setUsername", phone=PHONE, username="by-a-secret", token=secret)
        return "result" in reply

    async def register(secret: str) -> bool:
        return "result" in await steps.reply("verify", phone=REGISTERING, code=secret)

    async def enter(secret: str) -> bool:
        body = {"phone": SIGNING_IN, "code": secret}
        return (await client.post("/login/code/verify", json=body)).status_code == 200

    async def watch(secret: str) -> bool:
        async with listening(f"{server.socket_url}/register/{secret}") as listener:
            with suppress(ConnectionClosed):
                return "eventType" in await listener.text()
        return False

    return {
        "session": bearer,
        "ticket": lambda secret: socket(f"ticket={secret}&since="),
        "link": verify,
        "undo": undo,
        "recovery": recover,
        "challenge": confirm,
        "proof": step,
        "registration": watch,
        "cursor": lambda secret: socket(f"token={own}&since={secret}"),
        "code of the steps": register,
        "code to sign in": enter,
    }


async def test_each_secret_is_good_for_one_thing() -> None:
    async with local_server(live=FROM_ROSTER) as (server, client):
        secrets = await issued(server, client)
        places = uses(server, client, secrets["session"])
        assert places.keys() == secrets.keys()
        for kind, secret in secrets.items():
            for place, use in places.items():
                if place != kind:
                    assert not await use(secret), f"a {kind} was taken for a {place}"
        for kind, secret in secrets.items():  # none was used up meanwhile
            assert await places[kind](secret), kind


async def test_what_one_person_has_opens_nothing_of_another() -> None:
    async with local_server() as (_, client):
        ann, bob = await sign_up(client, "annabella"), await sign_up(client, "benedict")
        room = (await ann.post("/room/create", {"name": "Tea"}))["roomId"]
        post = (await ann.post(f"/room/post/{room}", {"content": "hello"}))["postId"]
        nobodys = {"room": 999_999, "post": 999_999}
        for method, path in (
            ("GET", "/room/info/{room}"),
            ("POST", "/room/accept/{room}"),
            ("POST", "/room/decline/{room}"),
            ("GET", "/room/read/{post}"),
        ):
            hers = path.format(room=room, post=post)
            answer = await bob.call(method, hers)
            assert answer.status_code in {401, 404}, (path, answer.text)
            if method != "GET":  # what may not be known to be there is answered as if it were not
                absent = await bob.call(method, path.format(**nobodys))
                assert (answer.status_code, answer.text) == (absent.status_code, absent.text), path
