"""Another password and another address on a running server with real mail, from the first link to the last."""

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from regserver.testing import ReceivedMail
from tests.incident.test_used_once import posting, successes
from tests.peer.smtp import SmtpPeer, open_smtp_peer
from tests.system.server import (
    AnyServer,
    Listener,
    Person,
    listening,
    local_server,
    open_server,
    sign_up,
)

OLD, NEW = "annabella@example.org", "bella@example.net"
PASSWORD, STOLEN, OWN = "annabella's long password", "the thief's long password", "quite another phrase"


class Stage:
    """Annabella, signed in, and everybody's mail."""

    def __init__(
        self, server: AnyServer, client: httpx.AsyncClient, inbox: Callable[[], Awaitable[ReceivedMail]]
    ) -> None:
        """inbox: waits for the next mail."""
        self.server = server
        self.client = client
        self._inbox = inbox
        self.secrets: list[str] = []
        self.ann: Person

    async def mail(self, to: str, subject: str) -> str:
        """The next mail, which must be this one: the secret in it, or ""."""
        received = await self._inbox()
        assert (received.to, received.subject) == (to, subject)
        found = set(re.findall(r"#([A-Za-z0-9_-]{16,})", received.text))
        self.secrets += found
        return found.pop() if found else ""

    async def use(self, path: str, token: str, **more: str) -> tuple[int, dict[str, str]]:
        answer = await self.client.post(f"/login/{path}", json={"token": token, **more})
        return answer.status_code, answer.json()

    async def signs_in(self, name: str, password: str) -> int:
        return (await self.client.post("/login", json={"username": name, "password": password})).status_code

    async def verified(self) -> None:
        self.ann = await sign_up(self.client, "annabella")
        secret = await self.mail(OLD, "Verify your e-mail address at example.org")
        assert await self.use("email/verify", secret) == (200, {"email": OLD})

    async def changed(self, email: str = NEW) -> str:
        """The secret that undoes it."""
        answer = await self.ann.call("POST", "/login/email", {"password": PASSWORD, "email": email})
        assert (answer.status_code, answer.json()) == (202, {})
        secret = await self.mail(email, "Confirm your new e-mail address at example.org")
        assert await self.use("email/verify", secret) == (200, {"email": email})
        return await self.mail(OLD, "Your e-mail address at example.org was changed")


@asynccontextmanager
async def opened() -> AsyncIterator[Stage]:
    async with local_server(server={"public_url": "https://example.org"}) as (server, client):
        stage = Stage(server, client, server.mailbox.wait)
        await stage.verified()
        yield stage


def inbox_of(peer: SmtpPeer) -> Callable[[], Awaitable[ReceivedMail]]:
    numbers = itertools.count(1)

    async def inbox() -> ReceivedMail:
        number = next(numbers)
        await peer.wait_received(number)
        received = peer.accepted[number - 1]
        subject = str(received.message["Subject"])
        return ReceivedMail(received.recipient, subject, received.part("plain"), received.part("html"))

    return inbox


async def test_a_thief_changes_everything_and_the_owner_takes_it_back(tmp_path: Path) -> None:
    async with open_smtp_peer() as (peer, _):
        settings = (
            f"mail.smtp=smtp://127.0.0.1:{peer.port}",
            "server.public_url=https://example.org",
            "live.source=none",
        )
        async with open_server(tmp_path, settings) as server, server.client() as client:
            stage = Stage(server, client, inbox_of(peer))
            await stage.verified()
            await take_back(stage)
            assert stage.secrets
            for secret in stage.secrets:
                assert secret not in server.printed
            kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
            assert not [secret for secret in stage.secrets if secret.encode() in kept]


async def take_back(stage: Stage) -> None:
    undo = await stage.changed()
    assert [await stage.signs_in(name, PASSWORD) for name in (OLD, NEW)] == [401, 200]
    body = {"password": PASSWORD, "newPassword": STOLEN}
    assert (await stage.ann.call("POST", "/login/password", body)).status_code == 204
    await stage.mail(NEW, "Your password at example.org was changed")
    place = f"{stage.server.socket_url}/room/websocket?token={stage.ann.token}&since="
    async with listening(place) as thief:
        assert (await thief.message())["type"] == "Resumed"
        assert await stage.use("email/undo", undo) == (200, {"email": OLD})
        assert await ended(thief)
    link = await stage.mail(OLD, "Your account at example.org is yours again: choose a new password")
    assert (await stage.ann.call("GET", "/login/info")).status_code == 401
    for password in (PASSWORD, STOLEN):
        assert [await stage.signs_in(name, password) for name in ("annabella", OLD, NEW)] == [401] * 3
    status, answer = await stage.use("recover/finish", link, password=OWN)
    assert status == 200
    own = {"authorization": f"Bearer {answer['token']}"}
    user = (await stage.client.get("/login/info", headers=own)).json()["user"]
    assert (user["email"], user["emailVerified"]) == (OLD, True)
    assert await stage.signs_in(OLD, OWN) == 200
    await stage.mail(OLD, "Your password at example.org was changed")
    assert await stage.use("email/undo", undo) == (404, {"error": "BadLink"})


async def ended(listener: Listener) -> bool:
    """Whether it hears that its token is no more, and is closed."""
    return await listener.text() == "BadToken" and await listener.close_code() == 1008


async def test_of_many_undoings_at_once_one_succeeds_and_sends_one_mail() -> None:
    async with opened() as stage:
        undo = {"token": await stage.changed()}
        assert await successes(posting(stage.client, "/login/email/undo", undo)) == 1
        await stage.mail(OLD, "Your account at example.org is yours again: choose a new password")
        await stage.client.post("/login/recover", json={"username": "annabella"})
        await stage.mail(OLD, "A new password for your account at example.org")


async def test_of_many_confirmations_at_once_one_succeeds() -> None:
    async with opened() as stage:
        await stage.ann.call("POST", "/login/email", {"password": PASSWORD, "email": NEW})
        change = {"token": await stage.mail(NEW, "Confirm your new e-mail address at example.org")}
        assert await successes(posting(stage.client, "/login/email/verify", change)) == 1
        await stage.mail(OLD, "Your e-mail address at example.org was changed")


RIGHT = {"password": PASSWORD, "newPassword": OWN, "email": NEW}


ONE_WRONG: tuple[tuple[str, str, object, int, str], ...] = (
    ("/login/password", "password", STOLEN, 401, "BadCredentials"),
    ("/login/password", "password", None, 401, "BadCredentials"),
    ("/login/password", "password", 5, 400, "BadJson"),
    ("/login/password", "newPassword", "short", 400, "BadPassword"),
    ("/login/password", "newPassword", OLD.upper(), 400, "BadPassword"),
    ("/login/password", "newPassword", None, 400, "BadPassword"),
    ("/login/password", "bearer", "regs_x", 401, "BadToken"),
    ("/login/email", "password", STOLEN, 401, "BadCredentials"),
    ("/login/email", "password", None, 401, "BadCredentials"),
    ("/login/email", "password", 5, 400, "BadJson"),
    ("/login/email", "email", "nobody", 400, "BadEmail"),
    ("/login/email", "email", None, 400, "BadEmail"),
    ("/login/email", "bearer", "regs_x", 401, "BadToken"),
)
"""Path, field, its wrong value, and the answer."""


async def test_one_wrong_field_is_refused_and_changes_nothing() -> None:
    async with opened() as stage:
        for path, field, wrong, status, error in ONE_WRONG:
            fields: dict[str, object] = {"bearer": stage.ann.token, **RIGHT, field: wrong}
            headers = {"authorization": f"Bearer {fields.pop('bearer')}"}
            answer = await stage.client.post(path, json=fields, headers=headers)
            assert (answer.status_code, answer.json()) == (status, {"error": error}), (path, field, wrong)
            assert [await stage.signs_in(OLD, each) for each in (OWN, PASSWORD)] == [401, 200]
        # The next mail is that of a request in which all is right.
        await stage.changed()


async def test_the_answer_does_not_tell_whose_an_address_is() -> None:
    async with opened() as stage:
        other = await sign_up(stage.client, "benedict")
        secret = await stage.mail("benedict@example.org", "Verify your e-mail address at example.org")
        assert (await stage.use("email/verify", secret))[0] == 200
        told = (
            (NEW, "Confirm your new e-mail address at example.org"),
            ("benedict@example.org", "This address already has an account at example.org"),
        )
        asked = []
        for email, subject in told:
            asked.append(await stage.ann.call("POST", "/login/email", {"password": PASSWORD, "email": email}))
            await stage.mail(email, subject)  # before the next one, which could overtake it
        free, taken = [(answer.status_code, answer.content, sorted(answer.headers)) for answer in asked]
        assert free == taken
        user = (await other.get("/login/info"))["user"]
        assert (user["email"], user["emailVerified"]) == ("benedict@example.org", True)


async def test_the_page_works_without_a_script() -> None:
    async with opened() as stage:
        undo = await stage.changed()
        page = await stage.client.get("/undo?lang=en")
        assert page.status_code == 200
        assert 'action="undo?lang=en"' in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["x-robots-tag"] == "noindex"
        state = await stage.client.post("/undo/standing?lang=en", json={"token": undo})
        assert "annabella gets the address annabella@example.org back" in state.json()["text"]
        assert (await stage.ann.call("GET", "/login/info")).status_code == 200  # nothing is used up
        wrong = await stage.client.post("/undo?lang=fr", data={"token": undo[:-1] + "~"})
        assert (wrong.status_code, "n’est plus valable" in wrong.text) == (404, True)
        done = await stage.client.post("/undo?lang=ru", data={"token": f" {undo} "})
        assert (done.status_code, OLD in done.text, "Адрес снова" in done.text) == (200, True, True)
        assert (await stage.client.post("/undo", json={"token": undo})).status_code == 415
        assert (await stage.client.get("/undo/static/link.js")).status_code == 200
