"""Links, codes, tickets and challenges with exactly one thing wrong are refused, and use nothing up: the secret, whose it is, what it is for, the
contact, and the time.

The secrets of passwords, passkeys, second factors and recovery have the same in `test_factor_used_once` and beside their use cases.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import pytest
from trio_websocket import ConnectionClosed

from regserver import testing
from regserver.domain.secret import hash_secret
from tests.crash.account_state import OLD, AccountFile
from tests.crash.change import SITE, Desk, Subject
from tests.incident.second_factor import run_sql
from tests.incident.test_used_once import DIRECTORY, PHONE
from tests.system.server import kept_store, listening, local_server
from tests.system.steps_client import StepsClient

OTHER_PHONE = "+380501112234"


class Place(msgspec.Struct, frozen=True):
    """Where a secret is used. right: what has to be right. use: with these; whether it works. spoilt: statements beside the server.

    Of each statement the second part mends what the first spoils; its times are in 2100.
    """

    right: dict[str, str]
    wrong: tuple[tuple[str, str], ...]
    use: Callable[[dict[str, str]], Awaitable[bool]]
    spoilt: tuple[tuple[str, str], ...] = ()


class Stage(msgspec.Struct, frozen=True):
    """A running server. ann, bob: people with verified addresses."""

    server: testing.TestedServer
    client: httpx.AsyncClient
    desk: Desk
    folder: Path
    steps: StepsClient
    ann: Subject
    bob: Subject

    def posting(self, path: str) -> Callable[[dict[str, str]], Awaitable[bool]]:
        async def use(fields: dict[str, str]) -> bool:
            return (await self.client.post(path, json=fields)).status_code == 200

        return use


def changed(secret: str) -> str:
    return secret[:-1] + ("A" if secret[-1] != "A" else "B")


def wrong_code(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


LINK_LATE = ("UPDATE account_link SET expires_at = 1", "UPDATE account_link SET expires_at = 4102444800000")


def other_purpose(purpose: str) -> tuple[str, str]:
    change = "UPDATE account_link SET purpose = '{}' WHERE purpose = '{}'"
    return change.format("recover", purpose), change.format(purpose, "recover")


async def verify_link(stage: Stage) -> Place:
    who = Subject("newcomer")
    await stage.desk.signed_up(who)
    link = await stage.desk.mailed(who.email, "verify")
    wrong = (("token", changed(link)), ("token", who.tokens["own"]))
    spoilt = (LINK_LATE, other_purpose("verify_email"))
    return Place({"token": link}, wrong, stage.posting("/login/email/verify"), spoilt)


async def change_link(stage: Stage) -> Place:
    link = await stage.desk.next_address(stage.ann)
    spoilt = (LINK_LATE, other_purpose("change_email"))
    return Place({"token": link}, (("token", changed(link)),), stage.posting("/login/email/verify"), spoilt)


async def undo_link(stage: Stage) -> Place:
    await stage.desk.ask("POST", "/login/email/verify", {"token": await stage.desk.next_address(stage.ann)})
    link = await stage.desk.mailed(stage.ann.email, "undo")
    spoilt = (LINK_LATE, other_purpose("undo_email"))
    return Place({"token": link}, (("token", changed(link)),), stage.posting("/login/email/undo"), spoilt)


async def sign_in_code(stage: Stage) -> Place:
    await stage.desk.ask("POST", "/login/code", {"email": stage.ann.email})
    right = {"email": stage.ann.email, "code": await stage.desk.code(stage.ann.email)}
    wrong = (
        ("email", stage.bob.email),
        ("email", "nobody@example.org"),
        ("code", wrong_code(right["code"])),
    )
    late = "UPDATE sign_in_code SET expires_at = 1", "UPDATE sign_in_code SET expires_at = 4102444800000"
    return Place(right, wrong, stage.posting("/login/code/verify"), (late,))


async def steps_code(stage: Stage) -> Place:
    codes = {}
    for phone in (PHONE, OTHER_PHONE):
        await stage.steps.call("firstStep", phone=phone, captcha="", captchaType="web")
        codes[phone] = (await stage.server.sms.wait(phone)).code
    right = {"phone": PHONE, "code": codes[PHONE]}
    others = OTHER_PHONE if codes[PHONE] != codes[OTHER_PHONE] else "+380501112235"
    wrong = (("phone", others), ("phone", "+380501112236"), ("code", wrong_code(codes[PHONE])))
    table = "UPDATE steps_registration SET code_expires_at ="
    late = f"{table} 1", f"{table} 4102444800000"

    async def use(fields: dict[str, str]) -> bool:
        return "result" in await stage.steps.reply("verify", **fields)

    return Place(right, wrong, use, (late,))


async def proof(stage: Stage) -> Place:
    tokens = {}
    for phone in (PHONE, OTHER_PHONE):
        await stage.steps.call("firstStep", phone=phone, captcha="", captchaType="web")
        code = (await stage.server.sms.wait(phone)).code
        tokens[phone] = (await stage.steps.call("verify", phone=phone, code=code, wantToken=True))["token"]
    right = {"phone": PHONE, "token": tokens[PHONE], "username": "by-the-steps"}
    wrong = (("phone", OTHER_PHONE), ("token", tokens[OTHER_PHONE]), ("token", changed(tokens[PHONE])))

    async def use(fields: dict[str, str]) -> bool:
        return "result" in await stage.steps.reply("setUsername", **fields)

    return Place(right, wrong, use)


async def challenge(stage: Stage) -> Place:
    assert (await stage.client.post("/init", json=DIRECTORY)).status_code == 200
    secret = await stage.desk.mailed(DIRECTORY["email"], "confirm")

    async def use(fields: dict[str, str]) -> bool:
        return (await stage.client.post(f"/{fields['challenge']}/confirm")).status_code == 200

    late = (
        "UPDATE pending_creation SET expires_at = 1",
        "UPDATE pending_creation SET expires_at = 4102444800000",
    )
    return Place({"challenge": secret}, (("challenge", changed(secret)),), use, (late,))


async def ticket(stage: Stage) -> Place:
    own = stage.ann.tokens["own"]
    late, made = [(await stage.desk.ask("POST", "/login/ticket", token=own))["ticket"] for _ in range(2)]
    # A late one is used up by being tried, so it is another one.
    run_sql(stage.folder, "UPDATE ticket SET expires_at = 1 WHERE hash = ?", hash_secret(late))
    run_sql(stage.folder, "UPDATE ticket SET expires_at = 4102444800000 WHERE hash = ?", hash_secret(made))

    async def use(fields: dict[str, str]) -> bool:
        url = f"{stage.server.socket_url}/room/websocket?ticket={fields['ticket']}&since="
        async with listening(url) as listener:
            with suppress(ConnectionClosed):
                return (await listener.text()).startswith('{"type":"Resumed"')
        return False

    wrong = (("ticket", changed(made)), ("ticket", own))
    return Place({"ticket": made}, (*wrong, ("ticket", late)), use)


async def session(stage: Stage) -> Place:
    own = stage.ann.tokens["own"]

    async def use(fields: dict[str, str]) -> bool:
        headers = {"authorization": f"Bearer {fields['token']}"}
        return (await stage.client.get("/login/info", headers=headers)).status_code == 200

    late = "UPDATE token SET expires_at = 1", "UPDATE token SET expires_at = 4102444800000"
    gone = "UPDATE account SET deleted_at = 1", "UPDATE account SET deleted_at = NULL"
    return Place({"token": own}, (("token", changed(own)), ("token", own[5:])), use, (late, gone))


PLACES = (verify_link, change_link, undo_link, sign_in_code, steps_code, proof, challenge, ticket, session)


@pytest.mark.parametrize("make", PLACES)
async def test_one_wrong_thing_is_refused(tmp_path: Path, make: Callable[[Stage], Awaitable[Place]]) -> None:
    # Nobody takes the mail, so all of it stays where it can be read.
    mail, ours = {"smtp": "smtp://127.0.0.1:9"}, {"public_url": SITE}
    async with local_server(store=kept_store(tmp_path), mail=mail, server=ours) as (server, client):
        desk = Desk(client, AccountFile(tmp_path / "test.db"))
        stage = Stage(
            server, client, desk, tmp_path, StepsClient(client), Subject("annabella"), Subject("benedict")
        )
        for who in (stage.ann, stage.bob):
            await desk.settled(who)
            assert who.credentials["password"] == OLD
        place = await make(stage)
        for field, wrong in place.wrong:
            assert not await place.use({**place.right, field: wrong}), (field, wrong)
            run_sql(tmp_path, "DELETE FROM guess")
        for spoil, mend in place.spoilt:
            run_sql(tmp_path, spoil)
            assert not await place.use(place.right), spoil
            run_sql(tmp_path, mend)
        assert await place.use(place.right)
