"""What a test holds of its server, in an asynchronous test of any loop, and in a plain one."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import msgspec

from regserver.testing.clock import SteppedClock
from regserver.testing.event import CommittedEvent, EventLog
from regserver.testing.fault import Failing, FaultKind, Faults
from regserver.testing.home import Home
from regserver.testing.mailbox import Mailbox, ReceivedMail
from regserver.testing.phone import Phones, ReceivedSms
from regserver.testing.source import STORY, ScriptedSource, ScriptLine


class SignedUpPerson(msgspec.Struct, frozen=True):
    """Somebody who signed up at the room door, and is signed in."""

    id: int
    username: str
    email: str
    password: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Those of a request in their name."""
        return {"authorization": f"Bearer {self.token}"}


class Backstage(msgspec.Struct, frozen=True, kw_only=True):
    """What the test has of its server, outside it."""

    home: Home
    clock: SteppedClock
    faults: Faults
    events: EventLog
    mailbox: Mailbox
    phones: Phones
    source: ScriptedSource


class ServerFace:
    """What needs no waiting. url: such as http://127.0.0.1:40123. socket_url: the same for WebSockets."""

    def __init__(self, url: str, backstage: Backstage) -> None:
        self.url = url
        self.socket_url = "ws" + url.removeprefix("http")
        self.clock = backstage.clock
        self._backstage = backstage

    def fail(
        self, what: Failing, how: FaultKind = "refuse", *, times: int | None = None, seconds: float = 1.0
    ) -> None:
        """Makes a peer fail from now on. times: at so many uses; None until `heal`. seconds: by how much "slow" is late.

        "drop" breaks the link: of the mail server as a whole, of the store after the commit, of the source amid its lines.
        """
        self._backstage.faults.plan(what, how, times=times, seconds=seconds)

    def heal(self, *what: Failing) -> None:
        """Ends these faults; without an argument all of them."""
        self._backstage.faults.heal(*what)

    def fails(self, what: Failing) -> bool:
        """Whether a fault of it is still to come."""
        return self._backstage.faults.is_planned(what)

    def source(self, username: str, password: str = "right", *, lines: Sequence[ScriptLine] = STORY) -> None:
        """Makes somebody known to the source of live registrations. lines: see ScriptLine."""
        self._backstage.source.add(username, password, lines)


class TestedServer(ServerFace):
    """A running server, for tests in Trio or asyncio."""

    def __init__(self, url: str, backstage: Backstage, client: httpx.AsyncClient) -> None:
        super().__init__(url, backstage)
        self._client = client
        self.mailbox = backstage.mailbox
        self.sms = backstage.phones
        self.events = backstage.events

    @property
    def home(self) -> Home:
        """The loop that it runs in."""
        return self._backstage.home

    async def person(self, username: str, *, password: str = "", verified: bool = False) -> SignedUpPerson:
        """Signs somebody up at the room door. password: "" for a good one. verified: confirms the address by its mail."""
        return await self.home.run(partial(self._sign_up, username, password, verified=verified))

    async def room(self, creator: SignedUpPerson, *others: SignedUpPerson, name: str | None = None) -> int:
        """Creates a room with these people in it; returns its id."""
        body = {"name": name, "otherUsers": [other.id for other in others]}
        made = await self.home.run(partial(self._post, "/room/create", body, creator.headers))
        return int(made["roomId"])

    async def _sign_up(self, username: str, password: str, *, verified: bool) -> SignedUpPerson:
        email, password = f"{username}@example.org", password or f"a good password of {username}"
        body = {"username": username, "email": email, "password": password}
        made = await self._post("/login/register", body)
        if verified:
            mail = await self.mailbox.wait(email)
            await self._post("/login/email/verify", {"token": mail.token})
        return SignedUpPerson(made["userId"], username, email, password, made["token"])

    async def _post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Any:
        response = await self._client.post(self.url + path, json=body, headers=headers)
        if response.is_error:
            raise AssertionError(f"{path}: {response.status_code} {response.text}")
        return response.json()


class BlockingMailbox:
    """As Mailbox, for a plain test."""

    def __init__(self, mailbox: Mailbox, home: Home) -> None:
        self._mailbox = mailbox
        self._home = home

    @property
    def mails(self) -> list[ReceivedMail]:
        """All that has come."""
        return self._mailbox.mails

    def wait(
        self, to: str | None = None, *, subject: str | None = None, seconds: float = 10.0
    ) -> ReceivedMail:
        """As Mailbox.wait."""
        return self._home.run_blocking(partial(self._mailbox.wait, to, subject=subject, seconds=seconds))


class BlockingPhones:
    """As Phones, for a plain test."""

    def __init__(self, phones: Phones, home: Home) -> None:
        self._phones = phones
        self._home = home

    def wait(self, phone: str | None = None, *, seconds: float = 10.0) -> ReceivedSms:
        """As Phones.wait."""
        return self._home.run_blocking(partial(self._phones.wait, phone, seconds=seconds))


class BlockingEvents:
    """As EventLog, for a plain test."""

    def __init__(self, events: EventLog, home: Home) -> None:
        self._events = events
        self._home = home

    @property
    def all(self) -> list[CommittedEvent]:
        """All that has happened."""
        return self._events.all

    def wait(
        self, kind: str | None = None, *, room: int | None = None, seconds: float = 10.0
    ) -> CommittedEvent:
        """As EventLog.wait."""
        return self._home.run_blocking(partial(self._events.wait, kind, room=room, seconds=seconds))


class BlockingServer(ServerFace):
    """A running server, for plain tests."""

    def __init__(self, server: TestedServer) -> None:
        super().__init__(server.url, server._backstage)
        self._server = server
        self.mailbox = BlockingMailbox(server.mailbox, server.home)
        self.sms = BlockingPhones(server.sms, server.home)
        self.events = BlockingEvents(server.events, server.home)

    def person(self, username: str, *, password: str = "", verified: bool = False) -> SignedUpPerson:
        """As TestedServer.person."""
        work = partial(self._server.person, username, password=password, verified=verified)
        return self._server.home.run_blocking(work)

    def room(self, creator: SignedUpPerson, *others: SignedUpPerson, name: str | None = None) -> int:
        """As TestedServer.room."""
        return self._server.home.run_blocking(partial(self._server.room, creator, *others, name=name))
