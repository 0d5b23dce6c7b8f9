"""The changes of an account during which the server is killed: how each is prepared, and the one request that makes it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import msgspec
import pyotp
import trio

from tests.authenticator import Authenticator
from tests.crash.account_state import NEW, OLD, AccountFile

SITE = "https://example.org"
CODE = re.compile(r"\b\d{6}\b")
Ask = Callable[[], Awaitable[httpx.Response]]


class Subject(msgspec.Struct):
    """Somebody whom a change is made to. tokens: by what they are."""

    name: str
    tokens: dict[str, str] = {}

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    @property
    def next_email(self) -> str:
        return f"{self.name}@example.net"

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.name, "password": OLD}


class Desk:
    """A client of a running server, and the file that it keeps, in which the mails are."""

    def __init__(self, client: httpx.AsyncClient, file: AccountFile) -> None:
        self._client = client
        self._file = file

    def asking(self, method: str, path: str, body: object = None, token: str = "") -> Ask:
        """A request that is not sent yet."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return lambda: self._client.request(method, path, json=body, headers=headers)

    async def ask(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        """The answer of a request that succeeds."""
        response = await self.asking(method, path, body, token)()
        assert response.status_code < 300, (path, response.status_code, response.text)
        return response.json() if response.content else None

    async def mailed(self, to: str, page: str) -> str:
        """The secret of the newest link to a page that waits to be mailed."""
        return await self._find(to, re.compile(rf"/{page}\S*#([A-Za-z0-9_-]+)"))

    async def code(self, to: str) -> str:
        return await self._find(to, re.compile(rf"({CODE.pattern})"))

    async def _find(self, to: str, wanted: re.Pattern[str]) -> str:
        with trio.fail_after(30):
            while True:
                for mail in reversed(self._file.mails()):
                    if mail.to == to and (found := wanted.search(mail.text)):
                        return found[1]
                await trio.sleep(0.01)

    # --- what several changes begin with
    async def signed_up(self, who: Subject) -> None:
        body = {**who.credentials, "email": who.email}
        who.tokens["own"] = (await self.ask("POST", "/login/register", body))["token"]

    async def settled(self, who: Subject) -> None:
        """With a verified address, and with three sessions."""
        await self.signed_up(who)
        await self.ask("POST", "/login/email/verify", {"token": await self.mailed(who.email, "verify")})
        who.tokens["other"] = (await self.ask("POST", "/login", who.credentials))["token"]
        made = await self.ask("POST", "/login/tokens", {"name": "backup"}, who.tokens["own"])
        who.tokens["named"] = made["token"]

    async def totp(self, who: Subject) -> str:
        """The first code of an authenticator app that waits for it."""
        secret = (await self.ask("POST", "/login/totp", token=who.tokens["own"]))["secret"]
        return pyotp.TOTP(secret).now()

    async def with_totp(self, who: Subject) -> list[str]:
        """Recovery codes."""
        body = {"code": await self.totp(who)}
        made = await self.ask("POST", "/login/totp/confirm", body, who.tokens["own"])
        codes: list[str] = made["recoveryCodes"]
        return codes

    async def next_address(self, who: Subject) -> str:
        body = {"password": OLD, "email": who.next_email}
        await self.ask("POST", "/login/email", body, who.tokens["own"])
        return await self.mailed(who.next_email, "verify")


Prepare = Callable[[Desk, Subject], Awaitable[Ask]]
"""Leads somebody to where the change begins; returns the request that makes it."""


async def sign_up(desk: Desk, who: Subject) -> Ask:
    return desk.asking("POST", "/login/register", {**who.credentials, "email": who.email})


async def verify_email(desk: Desk, who: Subject) -> Ask:
    await desk.signed_up(who)
    return desk.asking("POST", "/login/email/verify", {"token": await desk.mailed(who.email, "verify")})


async def change_password(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    return desk.asking("POST", "/login/password", {"password": OLD, "newPassword": NEW}, who.tokens["own"])


async def recover(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    await desk.ask("POST", "/login/recover", {"username": who.name})
    link = await desk.mailed(who.email, "recover")
    return desk.asking("POST", "/login/recover/finish", {"token": link, "password": NEW})


async def totp_on(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    return desk.asking("POST", "/login/totp/confirm", {"code": await desk.totp(who)}, who.tokens["own"])


async def totp_off(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    await desk.with_totp(who)
    return desk.asking("DELETE", "/login/totp", {"password": OLD}, who.tokens["own"])


async def second_factor(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    codes = await desk.with_totp(who)
    ticket = (await desk.asking("POST", "/login", who.credentials)()).json()["ticket"]
    return desk.asking("POST", "/login/factor", {"ticket": ticket, "code": codes[0]})


async def add_passkey(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    made = Authenticator(SITE).make(await desk.ask("POST", "/login/passkey/options", token=who.tokens["own"]))
    return desk.asking("POST", "/login/passkey", {**made, "name": "Key"}, who.tokens["own"])


async def ask_for_address(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    body = {"password": OLD, "email": who.next_email}
    return desk.asking("POST", "/login/email", body, who.tokens["own"])


async def change_email(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    return desk.asking("POST", "/login/email/verify", {"token": await desk.next_address(who)})


async def undo_email(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    await desk.ask("POST", "/login/email/verify", {"token": await desk.next_address(who)})
    return desk.asking("POST", "/login/email/undo", {"token": await desk.mailed(who.email, "undo")})


async def sign_in_by_code(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    await desk.ask("POST", "/login/code", {"email": who.email})
    body = {"email": who.email, "code": await desk.code(who.email)}
    return desk.asking("POST", "/login/code/verify", body)


async def delete(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    return desk.asking("DELETE", "/login/delete", {"password": OLD}, who.tokens["own"])


async def restore(desk: Desk, who: Subject) -> Ask:
    await desk.settled(who)
    await desk.ask("DELETE", "/login/delete", token=who.tokens["own"])
    return desk.asking("POST", "/login/restore", who.credentials)


CHANGES: Mapping[str, Prepare] = {
    made.__name__: made
    for made in (
        sign_up,
        verify_email,
        change_password,
        recover,
        totp_on,
        totp_off,
        second_factor,
        add_passkey,
        ask_for_address,
        change_email,
        undo_email,
        sign_in_by_code,
        delete,
        restore,
    )
}
