"""Sign-in by code on the started server, with a real mail server and a real SMS service: the whole story, once, and nothing told."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.peer.http import Answer, Asked, HttpPeer, answer, open_http_peer
from tests.peer.smtp import SmtpPeer, open_smtp_peer
from tests.security.test_race import at_once
from tests.steps import code_in
from tests.system.server import AnyServer, Server, local_server, open_server
from tests.system.steps_client import KEY, StepsClient

PHONE, ADDRESS = "+380501112233", "ann@example.org"
TIMES = 200
PLACES = ("phone", "email")
OWN_FIELDS = {"date", "x-request-id"}
"""They differ from answer to answer, whatever is asked."""
NOBODY = {"phone": "+380671112233", "email": "eve@example.org"}


def accept(_: Asked) -> Answer:
    return answer({})


class Site:
    """The server, a client, and the two services that it sends by."""

    def __init__(self, server: AnyServer, client: httpx.AsyncClient, smtp: SmtpPeer, sms: HttpPeer) -> None:
        self.server = server
        self.client = client
        self.steps = StepsClient(client)
        self._smtp = smtp
        self._sms = sms

    @property
    def messages(self) -> list[str]:
        return [asked.json["text"] for asked in self._sms.asked if asked.json["to"] == PHONE]

    @property
    def traffic(self) -> Counter[str]:
        """How many messages went to whom."""
        mails = Counter(mail.recipient for mail in self._smtp.accepted)
        return mails + Counter(str(asked.json["to"]) for asked in self._sms.asked)

    async def sent(self, kind: str, number: int) -> str:
        """The code in the message of this number to Ann."""
        with trio.fail_after(30):
            if kind == "email":
                await self._smtp.wait_received(number)
                return code_in(self._smtp.accepted[number - 1].part("plain"))
            while len(self.messages) < number:  # noqa: ASYNC110  (a provider tells nobody that it was asked)
                await trio.sleep(0.02)
        return code_in(self.messages[number - 1])

    async def register(self, kind: str) -> str:
        """Ann, by the steps; her token."""
        contact = {kind: PHONE if kind == "phone" else ADDRESS}
        first, verify = ("firstStep", "verify") if kind == "phone" else ("firstStepEmail", "verifyEmail")
        await self.steps.call(first, **contact, captcha="", captchaType="web")
        await self.steps.call(verify, **contact, code=await self.sent(kind, 1))
        named = await self.steps.call("setUsername", **contact, username="ann-of-steps")
        keys = {"publicOwnerKey": KEY, "publicActiveKey": KEY}
        made = await self.steps.call(
            "toBlockChain",
            **contact,
            username="ann-of-steps",
            userId=named["userId"],
            wantToken=True,
            **keys,
        )
        assert made["expiresIn"] > 0
        return str(made["token"])

    async def ask(self, body: dict[str, str]) -> httpx.Response:
        return await self.client.post("/login/code", json=body)

    async def enter(self, body: dict[str, str], code: str) -> httpx.Response:
        return await self.client.post("/login/code/verify", json={**body, "code": code})

    async def call(self, method: str, path: str, token: str, body: object = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        return await self.client.request(method, path, json=body, headers=headers)


@asynccontextmanager
async def open_site(**more: Any) -> AsyncIterator[Site]:
    """In this process. more: of the section `sms`."""
    async with (
        open_http_peer(accept) as sms,
        open_smtp_peer() as (smtp, _),
        local_server(
            mail={"smtp": f"smtp://127.0.0.1:{smtp.port}"},
            server={"public_url": "https://example.org", "test_mode": "test" in more},
            sms={"countries": ["*"], "kind": "http", "http": {"url": f"{sms.url}/sms"}, **more},
        ) as (server, client),
    ):
        yield Site(server, client, smtp, sms)


@asynccontextmanager
async def open_process(folder: Path) -> AsyncIterator[tuple[Site, Server]]:
    """The same in a process of its own."""
    async with open_http_peer(accept) as sms, open_smtp_peer() as (smtp, _):
        settings = (
            f"mail.smtp=smtp://127.0.0.1:{smtp.port}",
            "server.public_url=https://example.org",
            'sms.countries=["*"]',
            "sms.kind=http",
            f"sms.http.url={sms.url}/sms",
        )
        async with open_server(folder, settings) as server, server.client() as client:
            yield Site(server, client, smtp, sms), server


@pytest.mark.parametrize("kind", PLACES)
async def test_who_registered_by_the_steps_signs_in_by_code_ever_after(tmp_path: Path, kind: str) -> None:
    contact = {kind: PHONE if kind == "phone" else ADDRESS}
    async with open_process(tmp_path) as (site, server):
        registered = await site.register(kind)
        info = (await site.call("GET", "/login/info", registered)).json()["user"]
        assert info["username"] == "ann-of-steps"
        asked = await site.ask(contact)
        assert asked.status_code == 202
        code = await site.sent(kind, 2)
        opened = await site.enter(contact, code)
        assert opened.status_code == 200, opened.text
        assert opened.json().keys() == {"userId", "token", "expiresIn"}
        assert opened.json()["userId"] == info["userId"]
        token = opened.json()["token"]
        assert (await site.call("GET", "/login/info", token)).json()["user"]["userId"] == info["userId"]
        room = (await site.call("POST", "/room/create", token, {"name": "Tea"})).json()["roomId"]
        posted = await site.call("POST", f"/room/post/{room}", token, {"content": "hello"})
        assert posted.status_code == 200
        assert (await site.call("GET", "/room/list", registered)).json()["rooms"][0]["roomId"] == room
        again = await site.enter(contact, code)
        assert (again.status_code, again.json()) == (401, {"error": "BadCode"})
        assert code not in server.printed
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
        assert contact[kind].encode() not in kept


@pytest.mark.parametrize("kind", PLACES)
async def test_200_at_once_with_one_code_are_one(kind: str) -> None:
    contact = {kind: PHONE if kind == "phone" else ADDRESS}
    async with open_site() as site:
        await site.register(kind)
        assert (await site.ask(contact)).status_code == 202
        code = await site.sent(kind, 2)
        answers = await at_once(lambda number: site.enter(contact, code), TIMES)
        assert Counter(each.status_code for each in answers) == {200: 1, 401: TIMES - 1}
        assert {each.text for each in answers if each.status_code == 401} == {'{"error":"BadCode"}'}


async def test_200_at_once_that_guess_are_compared_five_times() -> None:
    async with open_site() as site:
        await site.register("phone")
        await site.ask({"phone": PHONE})
        code = await site.sent("phone", 2)
        wrong = str(int(code) - 1 if code[-1] == "9" else int(code) + 1)
        answers = await at_once(lambda number: site.enter({"phone": PHONE}, wrong), TIMES)
        assert Counter(each.status_code for each in answers) == {401: TIMES}
        assert (await site.enter({"phone": PHONE}, code)).status_code == 401


def without_time(response: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    """Everything that was sent, but for the times in it."""
    body = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", response.text)
    fields = [(name, value) for name, value in response.headers.items() if name not in OWN_FIELDS]
    return response.status_code, body, fields


@pytest.mark.parametrize("kind", PLACES)
async def test_no_byte_tells_whose_a_contact_is(kind: str) -> None:
    """Asking, also again and again, and guessing; and messages go to the one whose it is alone."""
    known, unknown = {kind: PHONE if kind == "phone" else ADDRESS}, {kind: NOBODY[kind]}
    async with open_site() as site:
        await site.register(kind)
        before = site.traffic
        for turn in range(3):
            pair = [await site.ask(contact) for contact in (known, unknown)]
            assert without_time(pair[0]) == without_time(pair[1])
            told = [datetime.fromisoformat(each.json()["nextRetry"]) for each in pair]
            assert timedelta(0) <= told[1] - told[0] < timedelta(seconds=5), turn
            guessed = [await site.enter(contact, "000000") for contact in (known, unknown)]
            assert without_time(guessed[0]) == without_time(guessed[1])
        code = await site.sent(kind, 2)
        assert (await site.enter(known, code)).status_code == 200
        assert (await site.enter(unknown, code)).status_code == 401
        assert site.traffic - before == Counter({known[kind]: 1})


async def test_a_test_number_signs_in_without_a_message() -> None:
    async with open_site(test={PHONE: "424242"}) as site:
        await site.steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
        user_id = await site.steps.to_named(PHONE, "ann-of-steps", "424242")
        assert "result" in await site.steps.register("ann-of-steps", user_id, phone=PHONE)
        assert (await site.enter({"phone": PHONE}, "424242")).status_code == 401, "it has to be asked for"
        assert (await site.ask({"phone": PHONE})).status_code == 202
        with trio.fail_after(20):
            while (await site.enter({"phone": PHONE}, "424242")).status_code != 200:  # noqa: ASYNC110  (nobody is told)
                await trio.sleep(0.05)
        assert site.messages == []
