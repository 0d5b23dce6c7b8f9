"""The table of what ends what, row by row, on a running server: every event there is, with everything there is to end.

An event has a cause here, several where several ways lead to it. A thing has a probe: what became of it afterwards. An
event or a thing that the server begins to use does not pass without either.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyotp
import pytest

from regserver.domain.ending import WHAT_ENDS_WHAT, AccountEvent, Fate, Outstanding
from regserver.domain.link import LINK_LIFE
from regserver.service.account_ending import LINKS
from tests.peer.people_service import DONE, NAME, PeopleService
from tests.peer.people_service import Person as Known
from tests.system.server import Listener, Person, Server, listening, open_server, run_here, sign_up
from tests.system.steps_client import StepsClient, logged_code
from tests.system.test_live import watch
from tests.web.provocation import POINT

PACKAGE = Path(__file__).parents[2] / "regserver"
SESSIONS = (Outstanding.ITS_SESSION, Outstanding.OTHER_SESSIONS, Outstanding.NAMED_TOKENS)
OF_SESSIONS = (Outstanding.SOCKETS, Outstanding.TICKETS, Outstanding.PUSH)
OTHERS = (
    Outstanding.FACTOR_TICKETS,
    Outstanding.RECOVERY_LINKS,
    Outstanding.EMAIL_LINKS,
    Outstanding.UNDO_LINKS,
    Outstanding.CODES,
    Outstanding.APPROVAL_LINKS,
    Outstanding.INVITATIONS,
    Outstanding.REGISTRATIONS,
)
PROBED = {*SESSIONS, *OF_SESSIONS, *OTHERS}
CLOSED, OPEN = "closed", "open"
STORE = ("--set", "store.url=sqlite:test.db")


class Holder(msgspec.Struct):
    """An account, and what was given out for it. tokens, sockets, tickets, pushes: by session. link: to another address; None
    where it has no address. undo: of a change before. one_time: a code for signing in, sent to its address.

    codes: for recovery, unused; none where it has no second factor. factor_ticket: None without one.
    """

    name: str
    password: str
    number: int
    tokens: dict[Outstanding, str]
    sockets: dict[Outstanding, Listener] = {}
    tickets: dict[Outstanding, str] = {}
    pushes: dict[Outstanding, str] = {}
    link: str | None = None
    recovery: str | None = None
    undo: str | None = None
    one_time: str | None = None
    codes: list[str] = []
    factor_ticket: str | None = None
    phone: str = ""
    room: int = 0

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.name, "password": self.password}


class Scene:
    """A running server with its clients. people: the source of the live door. host: somebody who posts to the holders."""

    def __init__(
        self, server: Server, client: httpx.AsyncClient, people: PeopleService, folder: Path
    ) -> None:
        self.server = server
        self.client = client
        self.people = people
        self.folder = folder
        self.count = 0
        self.host: Person

    async def call(self, method: str, path: str, token: str, body: object = None) -> httpx.Response:
        fields = {"authorization": f"Bearer {token}"}
        return await self.client.request(method, path, json=body, headers=fields)

    async def sign_in(self, holder: Holder, path: str = "/login") -> str:
        """A token for the password, and for a code where there is a second factor."""
        answer = await self.client.post(path, json=holder.credentials)
        if holder.codes:
            ticket = answer.json()["ticket"]
            answer = await self.prove(ticket, holder.codes.pop())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def prove(self, ticket: str, code: str) -> httpx.Response:
        return await self.client.post("/login/factor", json={"ticket": ticket, "code": code})

    async def command(self, *arguments: str) -> str:
        return await run_here("user", *arguments, *STORE, folder=self.folder)

    async def recovery_link(self, name: str) -> str:
        """The secret of a new link."""
        return (await self.command("reset-link", name)).split()[0].partition("#")[2]

    async def mailed(self, address: str, page: str) -> str:
        """The secret of the link to a page, in the mail to an address."""
        line = await self.server.wait_line(lambda line: address in str(line) and f"/{page}?" in str(line))
        found = re.search(r"#([A-Za-z0-9_-]+)", str(line))
        assert found is not None
        return found[1]

    async def asked_for(self, holder: Holder, address: str) -> str:
        """The secret that is mailed to a new address."""
        body = {"password": holder.password, "email": address}
        answer = await self.call("POST", "/login/email", holder.tokens[Outstanding.ITS_SESSION], body)
        assert answer.status_code == 202, answer.text
        return await self.mailed(address, "verify")

    # --- holders
    async def signed_up(self) -> Holder:
        self.count += 1
        name = f"holder{self.count}"
        person = await sign_up(self.client, name)
        link = await self.mailed(f"{name}@example.org", "verify")
        password = f"{name}'s long password"
        return Holder(name, password, person.id, {Outstanding.ITS_SESSION: person.token}, link=link)

    async def of_the_source(self) -> Holder:
        self.count += 1
        name, password = f"holder{self.count}", "right"
        self.people.people[name] = Known(password, [NAME, DONE])
        begun = await self.client.post("/login", json={"username": name, "password": password})
        async with listening(begun.headers["location"]) as listener:
            data = (await watch(listener))[-1]["additionalData"]
        return Holder(name, password, data["userId"], {Outstanding.ITS_SESSION: data["token"]})

    @asynccontextmanager
    async def holding(self, holder: Holder) -> AsyncIterator[Holder]:
        """Gives the account all the rest, with open sockets."""
        own = holder.tokens[Outstanding.ITS_SESSION]
        holder.tokens[Outstanding.OTHER_SESSIONS] = await self.sign_in(holder)
        made = await self.call("POST", "/login/tokens", own, {"name": "backup"})
        holder.tokens[Outstanding.NAMED_TOKENS] = made.json()["token"]
        if holder.link is not None:
            await self.link(holder.link)
            assert await self.link(await self.asked_for(holder, f"{holder.name}@example.net")) is Fate.KEPT
            holder.undo = await self.mailed(f"{holder.name}@example.org", "undo")
            holder.link = await self.asked_for(holder, f"{holder.name}@example.com")
            holder.recovery = await self.recovery_link(holder.name)
            address = {"email": f"{holder.name}@example.net"}
            assert (await self.client.post("/login/code", json=address)).status_code == 202
            holder.one_time = await logged_code(self.server, address["email"])
        if holder.codes:
            answer = await self.client.post("/login", json=holder.credentials)
            holder.factor_ticket = answer.json()["ticket"]
        self.ask_approval(holder)
        holder.room = (await self.host.post("/room/create", {"otherUsers": [holder.number]}))["roomId"]
        holder.phone = f"+38050{holder.number:07d}"
        steps = StepsClient(self.client)
        await steps.call("firstStep", phone=holder.phone, captcha="", captchaType="web")
        code = await logged_code(self.server, holder.phone)
        await steps.call("verify", phone=holder.phone, code=code)
        async with AsyncExitStack() as stack:
            for session, token in holder.tokens.items():
                url = f"{self.server.socket_url}/room/websocket?since=&"
                socket = await stack.enter_async_context(listening(f"{url}token={token}"))
                assert (await socket.message())["type"] == "Resumed"
                holder.sockets[session] = socket
                ticket = (await self.call("POST", "/login/ticket", token)).json()["ticket"]
                holder.tickets[session] = f"{url}ticket={ticket}"
                holder.pushes[session] = await self.subscribe(token)
            yield holder

    async def subscribe(self, token: str) -> str:
        """A push service's address that the session has subscribed; nothing is sent to it, since somebody's socket is there."""
        self.count += 1
        endpoint = f"https://push.example.net/{self.count}"
        body = {"endpoint": endpoint, "keys": {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}
        assert (await self.call("POST", "/room/push", token, body)).status_code == 201
        return endpoint

    def ask_approval(self, holder: Holder) -> None:
        """A link as for an account that waits; one that is in use has none of its own."""
        with closing(sqlite3.connect(self.folder / "test.db", timeout=20)) as connection, connection:
            connection.execute(
                "INSERT INTO account_link (hash, account_id, purpose, expires_at) VALUES (?, ?, 'approve', ?)",
                (holder.number.to_bytes(8, "big"), holder.number, 2**52),
            )

    async def invite(self, *arguments: str) -> Any:
        return json.loads(await run_here("invite", *arguments, *STORE, "--json", folder=self.folder))

    # --- probes
    def approval(self, holder: Holder) -> Fate:
        with closing(sqlite3.connect(self.folder / "test.db", timeout=20)) as connection:
            statement = "SELECT 1 FROM account_link WHERE purpose = 'approve' AND account_id = ?"
            return Fate.KEPT if connection.execute(statement, (holder.number,)).fetchone() else Fate.ENDED

    async def invitation(self) -> Fate:
        """Of the operator's, for the holder's address."""
        return Fate.KEPT if await self.invite("list") else Fate.ENDED

    async def session(self, token: str) -> Fate:
        status = (await self.call("GET", "/login/info", token)).status_code
        return {200: Fate.KEPT, 401: Fate.ENDED, 403: Fate.DENIED, 410: Fate.DENIED}[status]

    async def socket(self, socket: Listener, expected: str, room: int) -> str:
        """Whether it was closed, or hears of a new post."""
        if expected == OPEN:
            await self.host.post(f"/room/post/{room}", {"content": "Are you there?"})
            return OPEN if (await socket.message())["type"] == "NewPost" else CLOSED
        try:
            code = await socket.close_code()
        except AssertionError:  # the reason comes first
            assert socket.texts[-1] in {"BadToken", "UserIsDeleted", "NotApproved"}
            code = await socket.close_code()
        assert code == 1008
        return CLOSED

    async def ticket(self, url: str) -> Fate:
        async with listening(url) as listener:
            text = await listener.text()
        denied = dict.fromkeys(("UserIsDeleted", "NotApproved"), Fate.DENIED)
        return {"BadToken": Fate.ENDED, **denied}.get(text, Fate.KEPT)

    def push(self, endpoint: str) -> Fate:
        statement = "SELECT COALESCE(deleted_at, suspended_at) FROM push_subscription JOIN account ON account.id = account_id WHERE endpoint = ?"
        with closing(sqlite3.connect(self.folder / "test.db", timeout=20)) as connection:
            row = connection.execute(statement, (hashlib.sha256(endpoint.encode()).digest(),)).fetchone()
        return Fate.ENDED if row is None else Fate.KEPT if row[0] is None else Fate.DENIED

    async def link(self, token: str) -> Fate:
        status = (await self.client.post("/login/email/verify", json={"token": token})).status_code
        return {200: Fate.KEPT, 404: Fate.ENDED}[status]

    async def undo(self, token: str) -> Fate:
        status = (await self.client.post("/login/email/undo", json={"token": token})).status_code
        return {200: Fate.KEPT, 404: Fate.ENDED}[status]

    async def recovery(self, token: str) -> Fate:
        body = {"token": token, "password": "short"}  # which uses nothing up
        answer = await self.client.post("/login/recover/finish", json=body)
        return {"BadPassword": Fate.KEPT, "BadRecovery": Fate.ENDED}[answer.json()["error"]]

    async def one_time(self, holder: Holder) -> Fate:
        body = {"email": f"{holder.name}@example.net", "code": holder.one_time}
        answer = await self.client.post("/login/code/verify", json=body)
        if answer.status_code == 200:
            return Fate.KEPT
        return {"SecondFactorRequired": Fate.KEPT, "BadCode": Fate.ENDED}[answer.json()["error"]]

    async def factor_ticket(self, holder: Holder) -> Fate:
        status = (await self.prove(holder.factor_ticket or "", holder.codes.pop())).status_code
        return {200: Fate.KEPT, 401: Fate.ENDED, 410: Fate.DENIED}[status]

    async def registration(self, phone: str) -> Fate:
        reply = await StepsClient(self.client).reply("getState", phone=phone)
        return Fate.KEPT if reply["result"]["currentState"] == "setUsername" else Fate.ENDED


# --- causes: what makes an event happen; they return the token of the session that the event is about
Cause = Callable[[Scene, Holder], Awaitable[str]]


async def sign_out(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    assert (await scene.call("DELETE", "/login/token", own)).status_code == 204
    return own


async def listed_id(scene: Scene, token: str) -> int:
    sessions = (await scene.call("GET", "/login/sessions", token)).json()["sessions"]
    return int(next(session["sessionId"] for session in sessions if session["current"]))


async def end_from_the_list(scene: Scene, holder: Holder) -> str:
    own, other = holder.tokens[Outstanding.ITS_SESSION], holder.tokens[Outstanding.OTHER_SESSIONS]
    path = f"/login/sessions/{await listed_id(scene, own)}"
    assert (await scene.call("DELETE", path, other)).status_code == 204
    return own


async def end_by_command(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    await scene.command("revoke", holder.name, "--session", str(await listed_id(scene, own)))
    return own


async def sign_out_everywhere(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    assert (await scene.call("DELETE", "/login/token?all=true", own)).status_code == 204
    return own


async def revoke_all_by_command(scene: Scene, holder: Holder) -> str:
    await scene.command("revoke", holder.name)
    return holder.tokens[Outstanding.ITS_SESSION]


async def change_at_the_source(scene: Scene, holder: Holder) -> str:
    scene.people.people[holder.name].password = holder.password = "changed there"
    return await scene.sign_in(holder)


async def recover(scene: Scene, holder: Holder) -> str:
    body = {"token": await scene.recovery_link(holder.name), "password": "quite another phrase"}
    answer = await scene.client.post("/login/recover/finish", json=body)
    assert answer.json()["error"] == "SecondFactorRequired"
    answer = await scene.prove(answer.json()["ticket"], holder.codes.pop())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


async def change_password(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    body = {"password": holder.password, "newPassword": "quite another phrase"}
    assert (await scene.call("POST", "/login/password", own, body)).status_code == 204
    return own


async def change_address(scene: Scene, holder: Holder) -> str:
    assert await scene.link(holder.link or "") is Fate.KEPT
    return holder.tokens[Outstanding.ITS_SESSION]


async def undo_the_change(scene: Scene, holder: Holder) -> str:
    assert await scene.undo(holder.undo or "") is Fate.KEPT
    return holder.tokens[Outstanding.ITS_SESSION]


async def add_a_factor(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    secret = (await scene.call("POST", "/login/totp", own)).json()["secret"]
    answer = await scene.call("POST", "/login/totp/confirm", own, {"code": pyotp.TOTP(secret).now()})
    assert answer.status_code == 200, answer.text
    holder.codes = answer.json()["recoveryCodes"]
    return own


async def remove_a_factor(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    answer = await scene.call("DELETE", "/login/totp", own, {"password": holder.password})
    assert answer.status_code == 204, answer.text
    return own


async def delete(scene: Scene, holder: Holder) -> str:
    own = holder.tokens[Outstanding.ITS_SESSION]
    assert (await scene.call("DELETE", "/login/delete", own)).status_code == 204
    return own


async def delete_by_command(scene: Scene, holder: Holder) -> str:
    await scene.command("delete", holder.name)
    return holder.tokens[Outstanding.ITS_SESSION]


async def suspend_by_command(scene: Scene, holder: Holder) -> str:
    await scene.command("suspend", holder.name)
    return holder.tokens[Outstanding.ITS_SESSION]


async def restore(scene: Scene, holder: Holder) -> str:
    await delete(scene, holder)
    return await scene.sign_in(holder, "/login/restore")


CAUSES: tuple[tuple[AccountEvent, Cause], ...] = (
    (AccountEvent.SESSION_ENDED, sign_out),
    (AccountEvent.SESSION_ENDED, end_from_the_list),
    (AccountEvent.SESSION_ENDED, end_by_command),
    (AccountEvent.SIGNED_OUT_EVERYWHERE, sign_out_everywhere),
    (AccountEvent.SIGNED_OUT_EVERYWHERE, revoke_all_by_command),
    (AccountEvent.PASSWORD_CHANGED, change_password),
    (AccountEvent.PASSWORD_CHANGED_AT_SOURCE, change_at_the_source),
    (AccountEvent.RECOVERED, recover),
    (AccountEvent.EMAIL_CHANGED, change_address),
    (AccountEvent.EMAIL_UNDONE, undo_the_change),
    (AccountEvent.FACTOR_CHANGED, add_a_factor),
    (AccountEvent.FACTOR_CHANGED, remove_a_factor),
    (AccountEvent.DELETED, delete),
    (AccountEvent.DELETED, delete_by_command),
    (AccountEvent.SUSPENDED, suspend_by_command),
    (AccountEvent.RESTORED, restore),
)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Scene]:
    async with PeopleService().listen() as people:
        live = ["live.source=http", f"live.http.url={people.url}"]
        async with open_server(folder, live) as server, server.client() as client:
            scene = Scene(server, client, people, folder)
            scene.host = await sign_up(client, "host")
            yield scene


@pytest.mark.parametrize(("event", "cause"), CAUSES, ids=[cause.__name__ for _, cause in CAUSES])
async def test_a_row_of_the_table(tmp_path: Path, event: AccountEvent, cause: Cause) -> None:
    async with opened(tmp_path) as scene:
        of_source = event is AccountEvent.PASSWORD_CHANGED_AT_SOURCE
        bystander = await scene.signed_up()
        holder = await (scene.of_the_source() if of_source else scene.signed_up())
        await add_a_factor(scene, bystander)
        if cause is not add_a_factor:
            await add_a_factor(scene, holder)
        async with scene.holding(bystander), scene.holding(holder):
            await scene.invite("create", "--email", f"{holder.name}@example.org")
            about = await cause(scene, holder)
            await compare(scene, event, holder, about)
            # Somebody else's things are never touched.
            for session in SESSIONS:
                assert await scene.session(bystander.tokens[session]) is Fate.KEPT
                assert await scene.socket(bystander.sockets[session], OPEN, bystander.room) == OPEN
                assert await scene.ticket(bystander.tickets[session]) is Fate.KEPT
            assert scene.approval(bystander) is Fate.KEPT
            assert await scene.factor_ticket(bystander) is Fate.KEPT
            assert await scene.one_time(bystander) is Fate.KEPT
            assert await scene.recovery(bystander.recovery or "") is Fate.KEPT
            assert await scene.link(bystander.link or "") is Fate.KEPT
            assert await scene.undo(bystander.undo or "") is Fate.KEPT


async def compare(scene: Scene, event: AccountEvent, holder: Holder, about: str) -> None:
    """Everything of the holder with the table's row. about: the token of the session that the event is about."""
    fates = WHAT_ENDS_WHAT[event]
    for session, token in holder.tokens.items():
        # Where the event brings its own session, all that were there before are others.
        kind = (
            session
            if session is not Outstanding.ITS_SESSION or token == about
            else Outstanding.OTHER_SESSIONS
        )
        expected = fates[kind]
        assert await scene.session(token) is expected, session
        stays = expected is Fate.KEPT
        socket = OPEN if stays and fates[Outstanding.SOCKETS] is Fate.WITH_SESSION else CLOSED
        assert await scene.socket(holder.sockets[session], socket, holder.room) == socket, session
        push = fates[Outstanding.PUSH]
        assert scene.push(holder.pushes[session]) is (expected if push is Fate.WITH_SESSION else push), (
            session
        )
        ticket = fates[Outstanding.TICKETS]
        ticket = expected if ticket is Fate.WITH_SESSION else ticket
        assert await scene.ticket(holder.tickets[session]) is ticket, session
    assert await scene.session(about) is fates[Outstanding.ITS_SESSION]
    if holder.factor_ticket is not None:
        assert await scene.factor_ticket(holder) is fates[Outstanding.FACTOR_TICKETS]
    assert await scene.registration(holder.phone) is fates[Outstanding.REGISTRATIONS]
    if holder.one_time is not None:
        assert await scene.one_time(holder) is fates[Outstanding.CODES]
    # In this order, since each that is good changes the account.
    if holder.recovery is not None:
        assert await scene.recovery(holder.recovery) is fates[Outstanding.RECOVERY_LINKS]
    if holder.link is not None:
        assert await scene.link(holder.link) is fates[Outstanding.EMAIL_LINKS]
    if holder.undo is not None:
        expected = fates[Outstanding.UNDO_LINKS]
        is_used = expected is Fate.LATER_ENDED
        assert await scene.undo(holder.undo) is (Fate.ENDED if is_used else expected)
    assert scene.approval(holder) is fates[Outstanding.APPROVAL_LINKS]
    assert await scene.invitation() is fates[Outstanding.INVITATIONS]


def named(kind: str, *paths: Path) -> set[str]:
    """The members of an enumeration that these files speak of."""
    return {name for path in paths for name in re.findall(rf"\b{kind}\.([A-Z_]+)", path.read_text("utf-8"))}


def test_every_event_and_thing_in_use_is_tested() -> None:
    causing = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "domain" / "ending.py"]
    assert named("AccountEvent", *causing) == {event.name for event, _ in CAUSES}
    ending = named("Outstanding", PACKAGE / "service" / "account_ending.py")
    assert ending | {thing.name for thing in LINKS} <= {thing.name for thing in PROBED}
    purposes = [purpose for each in LINKS.values() for purpose in each]
    assert sorted(purposes) == sorted(LINK_LIFE)
    for row in WHAT_ENDS_WHAT.values():
        assert set(row) == set(Outstanding)
        assert {thing for thing, fate in row.items() if fate is Fate.WITH_SESSION} <= set(OF_SESSIONS)
