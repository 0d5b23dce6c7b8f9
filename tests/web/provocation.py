"""How each answer and refusal of each operation is provoked: a table by operation, and one for what many share.

A provocation prepares whatever it needs, with people and rooms of its own, and gives the request to be sent. So each is
independent of the others, and all run against one app.
"""

import itertools
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pyotp

from regserver.endpoint import MAX_BODY_BYTES, Response
from tests.authenticator import Authenticator
from tests.web.http_client import Client

PASSWORD = "a long password"
KEY = "the key of a platform"
PUBLISH_KEY, READ_KEY = "regs_op_publish", "regs_op_read"
"""Operator keys, written into the store."""
NOBODY = 2**50
ROSTER = [f"source{number}" for number in range(40)]
"""Whom the data source knows; the password of each is "right"."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request. by: the token of the asker; "" sends none."""

    method: str
    path: str
    body: Any = None
    by: str = ""
    headers: dict[str, str] = {}

    def but(self, **changes: Any) -> "Asked":
        """The same with something else."""
        return msgspec.structs.replace(self, **changes)

    @property
    def fields(self) -> dict[str, str]:
        """All header fields."""
        kind = {} if self.body is None else {"content-type": "application/json"}
        token = {"authorization": f"Bearer {self.by}"} if self.by else {}
        return {**kind, **token, **self.headers}


class Person(msgspec.Struct, frozen=True):
    id: int
    name: str
    token: str


class Stage:
    """People and rooms for provocations, and the client that they are made by."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._numbers = itertools.count(1)
        self._roster = iter(ROSTER)

    async def ask(self, asked: Asked) -> Response:
        body = asked.body if isinstance(asked.body, bytes) else json.dumps(asked.body).encode()
        sent = b"" if asked.body is None else body
        return await self.client.ask(asked.method, asked.path, sent, asked.fields)

    async def ask_json(self, asked: Asked) -> Any:
        response = await self.ask(asked)
        assert response.status < 300, response
        return json.loads(response.body or b"null")

    def name(self) -> str:
        """A user name that nobody has."""
        return f"person{next(self._numbers)}"

    def registrable(self) -> str:
        """The name of somebody in the data source who has not registered yet."""
        return next(self._roster)

    def sign_up(self) -> Asked:
        name = self.name()
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        return Asked(method="POST", path="/login/register", body=body)

    async def person(self) -> Person:
        asked = self.sign_up()
        made = await self.ask_json(asked)
        return Person(made["userId"], asked.body["username"], made["token"])

    async def room(self, person: Person) -> int:
        asked = Asked(method="POST", path="/room/create", body={}, by=person.token)
        return int((await self.ask_json(asked))["roomId"])

    async def post(self, person: Person, room: int) -> int:
        asked = Asked(method="POST", path=f"/room/post/{room}", body={"content": "x"}, by=person.token)
        return int((await self.ask_json(asked))["postId"])

    async def offer(self, host: Person, *guests: Person) -> None:
        """A room of the host's, into which the guests are asked."""
        body = {"otherUsers": [guest.id for guest in guests]}
        await self.ask_json(Asked(method="POST", path="/room/create", body=body, by=host.token))

    async def offers(self, guest: Person) -> list[int]:
        answer = await self.ask_json(Asked(method="GET", path="/room/offers", by=guest.token))
        return [offer["roomId"] for offer in answer["offers"]]

    async def exhaust(self, person: Person) -> None:
        """Uses up the person's allowance of bytes."""
        room = await self.room(person)
        for size in (16 * 1024, 2048, 1):
            body = {"content": "x" * size}
            asked = Asked(method="POST", path=f"/room/post/{room}", body=body, by=person.token)
            while (await self.ask(asked)).status == 200:
                pass

    async def delete(self, person: Person) -> None:
        await self.ask_json(Asked(method="DELETE", path="/login/delete", by=person.token))


Valid = Callable[[Stage, Person], Awaitable[Asked]]
Provocation = Callable[[Stage], Awaitable[Asked]]


# --- requests that succeed, by operation, for somebody who is signed in
def fixed(method: str, path: str, body: Any = None) -> Valid:
    async def make(stage: Stage, person: Person) -> Asked:
        return Asked(method=method, path=path.format(person=person), body=body, by=person.token)

    return make


def in_room(method: str, path: str, body: Any = None) -> Valid:
    async def make(stage: Stage, person: Person) -> Asked:
        room = await stage.room(person)
        return Asked(method=method, path=path.format(room=room), body=body, by=person.token)

    return make


POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


async def subscribe(stage: Stage, person: Person) -> Asked:
    body = {
        "endpoint": f"https://push.example.net/send/{stage.name()}",
        "keys": {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
    }
    return Asked(method="POST", path="/room/push", body=body, by=person.token)


async def unsubscribe(stage: Stage, person: Person) -> Asked:
    number = (await stage.ask_json(await subscribe(stage, person)))["subscriptionId"]
    return Asked(method="DELETE", path=f"/room/push/{number}", by=person.token)


def owned(act: str, *, member: bool = False) -> Valid:
    """What the owner of a room does: to a member, or to its name."""

    async def make(stage: Stage, person: Person) -> Asked:
        other, room = await stage.person(), await stage.room(person)
        invite = {"otherUsers": [other.id]}
        await stage.ask_json(Asked(method="POST", path=f"/room/invite/{room}", body=invite, by=person.token))
        await stage.ask_json(Asked(method="POST", path=f"/room/accept/{room}", by=other.token))
        body = {"userId": other.id} if member else {"name": "Coffee"}
        return Asked(method="POST", path=f"/room/{act}/{room}", body=body, by=person.token)

    return make


def own_post(act: str, body: Any = None) -> Valid:
    async def make(stage: Stage, person: Person) -> Asked:
        post = await stage.post(person, await stage.room(person))
        return Asked(method="POST", path=f"/room/{act}/{post}", body=body, by=person.token)

    return make


async def invite(stage: Stage, person: Person) -> Asked:
    other, room = await stage.person(), await stage.room(person)
    return Asked(method="POST", path=f"/room/invite/{room}", body={"otherUsers": [other.id]}, by=person.token)


def offered(answer: str) -> Valid:
    """The answer to an offer."""

    async def make(stage: Stage, person: Person) -> Asked:
        await stage.offer(await stage.person(), person)
        room = (await stage.offers(person))[0]
        return Asked(method="POST", path=f"/room/{answer}/{room}", by=person.token)

    return make


async def offers(stage: Stage, person: Person) -> Asked:
    await stage.offer(await stage.person(), person)
    return Asked(method="GET", path="/room/offers", by=person.token)


def block(method: str) -> Valid:
    async def make(stage: Stage, person: Person) -> Asked:
        other = await stage.person()
        return Asked(method=method, path=f"/login/block/{other.id}", by=person.token)

    return make


async def blocks(stage: Stage, person: Person) -> Asked:
    await stage.ask_json(await block("POST")(stage, person))
    return Asked(method="GET", path="/login/blocks", by=person.token)


async def read(stage: Stage, person: Person) -> Asked:
    post = await stage.post(person, await stage.room(person))
    return Asked(method="GET", path=f"/room/read/{post}", by=person.token)


async def seen(stage: Stage, person: Person) -> Asked:
    room = await stage.room(person)
    post = await stage.post(person, room)
    return Asked(method="POST", path=f"/room/seen/{room}", body={"postId": post}, by=person.token)


async def create(stage: Stage, person: Person) -> Asked:
    return Asked(method="POST", path="/room/create", body={"name": stage.name()}, by=person.token)


async def end_session(stage: Stage, person: Person) -> Asked:
    """Of a session that is not the asker's own."""
    body = {"username": person.name, "password": PASSWORD}
    await stage.ask_json(Asked(method="POST", path="/login", body=body))
    shown = await stage.ask_json(Asked(method="GET", path="/login/sessions", by=person.token))
    other = next(session["sessionId"] for session in shown["sessions"] if not session["current"])
    return Asked(method="DELETE", path=f"/login/sessions/{other}", by=person.token)


ORIGIN = "http://localhost"
ON_A_NAME = {"host": "localhost"}
"""Passkeys are made on pages whose host has a name."""
NO_NAME = {"host": "127.0.0.1"}


def on_page(method: str, path: str) -> Valid:
    async def make(stage: Stage, person: Person) -> Asked:
        return Asked(method=method, path=path, by=person.token, headers=ON_A_NAME)

    return make


async def new_passkey(stage: Stage, person: Person, key: Authenticator | None = None) -> Asked:
    options = await stage.ask_json(await on_page("POST", "/login/passkey/options")(stage, person))
    body = {**(key or Authenticator(ORIGIN)).make(options), "name": "Telephone"}
    return Asked(method="POST", path="/login/passkey", body=body, by=person.token, headers=ON_A_NAME)


async def without_passkey(stage: Stage, person: Person) -> Asked:
    """Removes one."""
    number = (await stage.ask_json(await new_passkey(stage, person)))["passkeyId"]
    return Asked(method="DELETE", path=f"/login/passkey/{number}", by=person.token)


PASSWORDS = {"password": PASSWORD, "newPassword": "another long password"}
NEW_ADDRESS = {"password": PASSWORD, "email": "new@example.org"}

VALID: dict[str, tuple[str, Valid]] = {
    "DELETE /login/token": ("Done", fixed("DELETE", "/login/token")),
    "GET /login/info": ("AccountShown", fixed("GET", "/login/info")),
    "POST /login/email/resend": ("MailAccepted", fixed("POST", "/login/email/resend")),
    "POST /login/email": ("MailAccepted", fixed("POST", "/login/email", NEW_ADDRESS)),
    "POST /login/password": ("Done", fixed("POST", "/login/password", PASSWORDS)),
    "GET /login/factors": ("FactorList", fixed("GET", "/login/factors")),
    "POST /login/totp": ("TotpBegun", fixed("POST", "/login/totp")),
    "POST /login/passkey/options": ("CreationOptions", on_page("POST", "/login/passkey/options")),
    "POST /login/passkey": ("PasskeyAdded", new_passkey),
    "DELETE /login/passkey/{passkey_id}": ("Done", without_passkey),
    "DELETE /login/totp": ("Done", fixed("DELETE", "/login/totp", {"password": PASSWORD})),
    "GET /login/userId/{username}": ("UserIdFound", fixed("GET", "/login/userId/{person.name}")),
    "GET /login/username/{user_id}": ("UsernameFound", fixed("GET", "/login/username/{person.id}")),
    "GET /login/export": ("AccountExport", fixed("GET", "/login/export")),
    "DELETE /login/delete": ("Done", fixed("DELETE", "/login/delete")),
    "POST /login/ticket": ("TicketIssued", fixed("POST", "/login/ticket")),
    "GET /login/sessions": ("SessionsShown", fixed("GET", "/login/sessions")),
    "DELETE /login/sessions/{session_id}": ("Done", end_session),
    "POST /login/tokens": ("NamedTokenMade", fixed("POST", "/login/tokens", {"name": "a", "expiresIn": 60})),
    "POST /room/create": ("RoomMade", create),
    "GET /room/events": ("RoomEventStream", fixed("GET", "/room/events")),
    "GET /room/list": ("RoomList", fixed("GET", "/room/list")),
    "GET /room/info/{room}": ("RoomShown", in_room("GET", "/room/info/{room}?getLastPost=true")),
    "POST /room/invite/{room}": ("Done", invite),
    "GET /room/offers": ("OfferList", offers),
    "POST /room/accept/{room}": ("Done", offered("accept")),
    "POST /room/decline/{room}": ("Done", offered("decline")),
    "POST /login/block/{user_id}": ("Done", block("POST")),
    "DELETE /login/block/{user_id}": ("Done", block("DELETE")),
    "GET /login/blocks": ("BlockList", blocks),
    "POST /room/leave/{room}": ("Done", in_room("POST", "/room/leave/{room}")),
    "POST /room/post/{room}": ("PostMade", in_room("POST", "/room/post/{room}", {"content": "Tea?"})),
    "GET /room/read/{post}": ("PostShown", read),
    "GET /room/readAll/{room}": ("PostList", in_room("GET", "/room/readAll/{room}?limit=5")),
    "POST /room/seen/{room}": ("Done", seen),
    "POST /room/typing/{room}": ("Done", in_room("POST", "/room/typing/{room}")),
    "POST /room/edit/{post}": ("Done", own_post("edit", {"content": "Tea!"})),
    "POST /room/delete/{post}": ("Done", own_post("delete")),
    "POST /room/rename/{room}": ("Done", owned("rename")),
    "POST /room/kick/{room}": ("Done", owned("kick", member=True)),
    "GET /room/search/{room}": ("PostsFound", in_room("GET", "/room/search/{room}?q=tea")),
    "GET /room/members/{room}": ("MemberList", in_room("GET", "/room/members/{room}?limit=5")),
    "GET /room/people": ("PeopleFound", fixed("GET", "/room/people?q=an")),
    "GET /room/push": ("PushShown", fixed("GET", "/room/push")),
    "POST /room/push": ("SubscriptionMade", subscribe),
    "DELETE /room/push/{subscription}": ("Done", unsubscribe),
    "POST /room/mute/{room}": ("Done", in_room("POST", "/room/mute/{room}")),
    "DELETE /room/mute/{room}": ("Done", in_room("DELETE", "/room/mute/{room}")),
}
"""Operation → the name of its success, and the request."""


# --- what goes wrong with them
def _valid(change: Callable[[Asked], Asked]) -> Callable[[Valid], Provocation]:
    def build(valid: Valid) -> Provocation:
        async def make(stage: Stage) -> Asked:
            return change(await valid(stage, await stage.person()))

        return make

    return build


def _at(number: int | str) -> Callable[[Asked], Asked]:
    """The same at another place: its path's last segment, and without what may belong to the first."""

    def change(asked: Asked) -> Asked:
        path, _, query = asked.path.partition("?")
        return asked.but(path=f"{path.rpartition('/')[0]}/{number}" + (f"?{query}" if query else ""))

    return change


def deleted(valid: Valid) -> Provocation:
    async def make(stage: Stage) -> Asked:
        person = await stage.person()
        asked = await valid(stage, person)
        await stage.delete(person)
        return asked

    return make


def by_a_stranger(valid: Valid) -> Provocation:
    async def make(stage: Stage) -> Asked:
        asked = await valid(stage, await stage.person())
        return asked.but(by=(await stage.person()).token)

    return make


def repeated_otherwise(valid: Valid) -> Provocation:
    async def make(stage: Stage) -> Asked:
        person, key = await stage.person(), {"idempotency-key": "one"}
        first, second = await valid(stage, person), await valid(stage, person)
        await stage.ask_json(first.but(headers=key))
        return second.but(headers=key)

    return make


SHARED: dict[str, Callable[[Valid], Provocation]] = {
    "MissingAuth": _valid(lambda asked: asked.but(by="")),
    "BadAuthType": _valid(lambda asked: asked.but(by="", headers={"authorization": "Basic eA=="})),
    "BadToken": _valid(lambda asked: asked.but(by="regs_nobody")),
    "UserIsDeleted": deleted,
    "BadJson": _valid(lambda asked: asked.but(body=b"{")),
    "BadContentType": _valid(
        lambda asked: (
            asked.but(body=b"x", headers={"content-encoding": "gzip"})
            if asked.body is None
            else asked.but(headers={"content-type": "text/plain"})
        )
    ),
    "BodyTooLarge": _valid(lambda asked: asked.but(body=b" " * (MAX_BODY_BYTES + 1))),
    "BadIdempotencyKey": _valid(lambda asked: asked.but(headers={"idempotency-key": "x" * 1000})),
    "IdempotencyConflict": repeated_otherwise,
    "BadId": _valid(_at("x")),
    "RoomNotFound": _valid(_at(NOBODY)),
    "NotInRoom": by_a_stranger,
}


def valid_but(operation: str, **changes: Any) -> Provocation:
    """The valid request of an operation, with something else."""
    return _valid(lambda asked: asked.but(**changes))(VALID[operation][1])


def plain(method: str, path: str, body: Any = None, **more: Any) -> Provocation:
    """A request that needs nothing prepared."""

    async def make(_: Stage) -> Asked:
        return Asked(method=method, path=path, body=body, **more)

    return make


def published(operation: str) -> dict[str, Provocation]:
    """In a service's name: by a key that may, by one that may not, and in the names of nobody and of somebody."""

    def asking(name: str, key: str) -> Provocation:
        async def provoke(stage: Stage) -> Asked:
            asked = await VALID[operation][1](stage, await stage.person())
            somebody = await stage.person()
            return asked.but(body={**asked.body, "as": name or somebody.name}, by=key)

        return provoke

    return {
        "BadServiceName": asking(" ", PUBLISH_KEY),
        "NotPermitted": asking("Weather", READ_KEY),
        "UsernameTaken": asking("", PUBLISH_KEY),
    }


def crowded(operation: str, room: bool) -> Provocation:
    """More users than a room may have on this stage: 3."""

    async def make(stage: Stage) -> Asked:
        asked = await VALID[operation][1](stage, await stage.person())
        others = [(await stage.person()).id for _ in range(3)]
        return asked.but(body={"otherUsers": others})

    return make


def exhausted(operation: str) -> Provocation:
    """By somebody whose allowance of today is used up."""

    async def make(stage: Stage) -> Asked:
        person = await stage.person()
        asked = await VALID[operation][1](stage, person)
        await stage.exhaust(person)
        return asked

    return make


def others_post(act: str, body: Any = None) -> Provocation:
    """By somebody who is in its room."""

    async def make(stage: Stage) -> Asked:
        author, other = await stage.person(), await stage.person()
        room = await stage.room(author)
        post = await stage.post(author, room)
        invite = {"otherUsers": [other.id]}
        await stage.ask_json(Asked(method="POST", path=f"/room/invite/{room}", body=invite, by=author.token))
        await stage.ask_json(Asked(method="POST", path=f"/room/accept/{room}", by=other.token))
        return Asked(method="POST", path=f"/room/{act}/{post}", body=body, by=other.token)

    return make


def not_owned(act: str, *, member: bool = False) -> Provocation:
    """By somebody who is a member alone."""

    async def make(stage: Stage) -> Asked:
        owner, guest = await stage.person(), await stage.person()
        asked = await owned(act, member=member)(stage, owner)
        room = asked.path.rpartition("/")[2]
        invite = {"otherUsers": [guest.id]}
        await stage.ask_json(Asked(method="POST", path=f"/room/invite/{room}", body=invite, by=owner.token))
        await stage.ask_json(Asked(method="POST", path=f"/room/accept/{room}", by=guest.token))
        return asked.but(by=guest.token)

    return make


def unwanted(operation: str) -> Provocation:
    """By somebody who was blocked by the one to be brought in."""

    async def make(stage: Stage) -> Asked:
        person, other = await stage.person(), await stage.person()
        await stage.ask_json(Asked(method="POST", path=f"/login/block/{person.id}", by=other.token))
        asked = await VALID[operation][1](stage, person)
        return asked.but(body={"otherUsers": [other.id]})

    return make


async def accept_too_late(stage: Stage) -> Asked:
    """Four were asked in, and three came."""
    host, *guests = [await stage.person() for _ in range(4)]
    room = await stage.room(host)
    for guest in guests:
        asked = Asked(
            method="POST", path=f"/room/invite/{room}", body={"otherUsers": [guest.id]}, by=host.token
        )
        await stage.ask_json(asked)
    accept = Asked(method="POST", path=f"/room/accept/{room}")
    for guest in guests[:2]:
        await stage.ask_json(accept.but(by=guest.token))
    return accept.but(by=guests[2].token)


async def block_too_many(stage: Stage) -> Asked:
    """The document's test lets everybody block two."""
    person = await stage.person()
    for _ in range(2):
        await stage.ask_json(await block("POST")(stage, person))
    return await block("POST")(stage, person)


# --- sessions
async def named_token_too_many(stage: Stage) -> Asked:
    """One account has 50 at once."""
    person = await stage.person()
    asked = await VALID["POST /login/tokens"][1](stage, person)
    for _ in range(50):
        await stage.ask_json(asked)
    return asked


async def named_token_by_one(stage: Stage) -> Asked:
    asked = await VALID["POST /login/tokens"][1](stage, await stage.person())
    return asked.but(by=(await stage.ask_json(asked))["token"])


# --- sign-up and sign-in
def sign_up_with(**fields: Any) -> Provocation:
    async def make(stage: Stage) -> Asked:
        asked = stage.sign_up()
        return asked.but(body={**asked.body, **fields})

    return make


async def sign_up(stage: Stage) -> Asked:
    return stage.sign_up()


async def taken_name(stage: Stage) -> Asked:
    person, asked = await stage.person(), stage.sign_up()
    return asked.but(body={**asked.body, "username": person.name})


async def taken_email(stage: Stage) -> Asked:
    """Somebody has verified the address: a trusted platform vouches for them."""
    name, asked = stage.name(), stage.sign_up()
    body = {"userName": name, "email": f"{name}@example.org", "password": PASSWORD}
    await stage.ask_json(Asked(method="POST", path="/init", body=body, by=KEY))
    return asked.but(body={**asked.body, "email": f"{name}@example.org"})


async def mailed_enough(stage: Stage) -> Asked:
    """The sign-up has sent the first of three mails."""
    asked = await VALID["POST /login/email/resend"][1](stage, await stage.person())
    for _ in range(2):
        await stage.ask_json(asked)
    return asked


async def sign_up_again(stage: Stage) -> Asked:
    asked = stage.sign_up().but(headers={"idempotency-key": "one"})
    await stage.ask_json(asked)
    return asked.but(body={**asked.body, "email": "other@example.org"})


def sign_in(path: str) -> dict[str, Provocation]:
    """What both addresses of sign-in have."""

    def login(name: str, password: str, **headers: str) -> Asked:
        return Asked(method="POST", path=path, body={"username": name, "password": password}, headers=headers)

    async def known(stage: Stage) -> Asked:
        return login((await stage.person()).name, PASSWORD)

    async def gone(stage: Stage) -> Asked:
        person = await stage.person()
        await stage.delete(person)
        return login(person.name, PASSWORD)

    async def wrong(stage: Stage) -> Asked:
        return login((await stage.person()).name, "wrong")

    async def running(stage: Stage) -> Asked:
        return login(stage.registrable(), "right")

    async def accepted(stage: Stage) -> Asked:
        return login(stage.registrable(), "right", prefer="respond-async")

    return {
        "SessionOpened": known,
        "RegistrationRunning": running,
        "RegistrationAccepted": accepted,
        "BadCredentials": wrong,
        "SecondFactorRequired": ask_code(path),
        "UserIsDeleted": gone,
        "BadJson": plain("POST", path, b"{"),
        "BadContentType": plain("POST", path, b"{}", headers={"content-type": "text/plain"}),
    }


def restore() -> dict[str, Provocation]:
    """Bringing a deleted account back."""

    def with_password(password: str) -> Provocation:
        async def make(stage: Stage) -> Asked:
            person = await stage.person()
            await stage.delete(person)
            body = {"username": person.name, "password": password}
            return Asked(method="POST", path="/login/restore", body=body)

        return make

    return {
        "SessionOpened": with_password(PASSWORD),
        "BadCredentials": with_password("wrong"),
        "SecondFactorRequired": ask_code("/login/restore", deletes=True),
        "BadJson": plain("POST", "/login/restore", b"{"),
        "BadContentType": plain("POST", "/login/restore", b"{}", headers={"content-type": "text/plain"}),
    }


# --- second factors
def app_code(secret: str) -> str:
    """The present code of an authenticator app."""
    return pyotp.TOTP(secret).now()


async def enrolled(stage: Stage, person: Person) -> Asked:
    """An app that waits for its first code, and that code."""
    asked = Asked(method="POST", path="/login/totp", by=person.token)
    secret = (await stage.ask_json(asked))["secret"]
    return Asked(method="POST", path="/login/totp/confirm", body={"code": app_code(secret)}, by=person.token)


async def with_factor(stage: Stage) -> tuple[Person, list[str]]:
    """Somebody whose app is on, and the recovery codes."""
    person = await stage.person()
    return person, (await stage.ask_json(await enrolled(stage, person)))["recoveryCodes"]


def ask_code(path: str, *, deletes: bool = False) -> Provocation:
    """A right password of somebody with a second factor."""

    async def make(stage: Stage) -> Asked:
        person, _ = await with_factor(stage)
        if deletes:
            await stage.delete(person)
        return Asked(method="POST", path=path, body={"username": person.name, "password": PASSWORD})

    return make


async def sign_up_again_with_factor(stage: Stage) -> Asked:
    asked = stage.sign_up().but(headers={"idempotency-key": "one"})
    made = await stage.ask_json(asked)
    person = Person(made["userId"], asked.body["username"], made["token"])
    await stage.ask_json(await enrolled(stage, person))
    return asked


def second_step(code: str = "", *, deleted: bool = False) -> Provocation:
    """The ticket with a code; a right recovery code unless another is given."""

    async def make(stage: Stage) -> Asked:
        person, codes = await with_factor(stage)
        body = {"username": person.name, "password": PASSWORD}
        refusal = await stage.ask(Asked(method="POST", path="/login", body=body))
        ticket = json.loads(refusal.body)["ticket"]
        if deleted:
            await stage.delete(person)
        return Asked(method="POST", path="/login/factor", body={"ticket": ticket, "code": code or codes[0]})

    return make


def enrol_twice(confirmed: bool) -> Provocation:
    """An app is on already."""

    async def make(stage: Stage) -> Asked:
        person, _ = await with_factor(stage)
        path, body = ("/login/totp/confirm", {"code": "000000"}) if confirmed else ("/login/totp", None)
        return Asked(method="POST", path=path, body=body, by=person.token)

    return make


# --- passkeys
def passkey_answer(*, gone: bool = False, **wrong: Any) -> Provocation:
    """An answer by somebody's passkey. wrong: fields of it. gone: the account is deleted."""

    async def make(stage: Stage) -> Asked:
        person, key = await stage.person(), Authenticator(ORIGIN)
        await stage.ask_json(await new_passkey(stage, person, key))
        ask = Asked(method="POST", path="/login/passkey/challenge", headers=ON_A_NAME)
        options = await stage.ask_json(ask)
        if gone:
            await stage.delete(person)
        return ask.but(path="/login/passkey/verify", body=key.answer(options, **wrong))

    return make


# --- watching
async def begin(stage: Stage) -> str:
    body = {"username": stage.registrable(), "password": "right"}
    response = await stage.ask(Asked(method="POST", path="/login", body=body))
    location = str(json.loads(response.body)["location"])
    return f"/register/{location.rpartition('/')[2]}/events"


async def watched(stage: Stage) -> Asked:
    return Asked(method="GET", path=await begin(stage))


async def of_source(stage: Stage) -> Asked:
    """Somebody whom the source has let register changes a password that is the source's."""
    events = await stage.client.ask("GET", await begin(stage))
    token = str(re.findall(r'"token":"([^"]+)"', events.body.decode())[0])
    return Asked(method="POST", path="/login/password", body=PASSWORDS, by=token)


async def looked_at(stage: Stage) -> Asked:
    return (await watched(stage)).but(method="HEAD")


async def watched_to_the_end(stage: Stage) -> Asked:
    path = await begin(stage)
    await stage.client.ask("GET", path)
    return Asked(method="GET", path=path, headers={"last-event-id": "9999"})


STEPS = {"jsonrpc": "2.0", "method": "getState", "params": {"phone": "+380000000000"}}


def steps(path: str) -> dict[str, Provocation]:
    return {
        "RpcReplies": plain("POST", path, [{**STEPS, "id": 1}, {**STEPS, "id": 2, "params": {}}]),
        "Done": plain("POST", path, STEPS),
        "BadContentType": plain("POST", path, b"{}", headers={"content-type": "text/plain"}),
    }


TABLE: dict[str, dict[str, Provocation]] = {
    "GET /health/alive": {"Alive": plain("GET", "/health/alive")},
    "GET /health/ready": {"Ready": plain("GET", "/health/ready")},
    "GET /metrics": {"Exposition": plain("GET", "/metrics")},
    "GET /openapi.json": {"OpenApiDocument": plain("GET", "/openapi.json")},
    "GET /asyncapi.json": {"AsyncApiDocument": plain("GET", "/asyncapi.json")},
    "GET /captcha/challenge": {"PuzzleIssued": plain("GET", "/captcha/challenge")},
    "GET /room/push/key": {"PushKey": plain("GET", "/room/push/key")},
    "GET /messages-en.js": {"Script": plain("GET", "/messages-en.js")},
    "GET /messages-fr.js": {"Script": plain("GET", "/messages-fr.js")},
    "POST /login": sign_in("/login"),
    "POST /user/login": sign_in("/user/login"),
    "DELETE /login/delete": {"BadCredentials": valid_but("DELETE /login/delete", body={"password": "wrong"})},
    "POST /login/restore": restore(),
    "POST /login/register": {
        "AccountOpened": sign_up,
        "BadJson": plain("POST", "/login/register", b"{"),
        "BadContentType": plain("POST", "/login/register", b"{}", headers={"content-type": "text/plain"}),
        "BadEmail": sign_up_with(email="nobody"),
        "BadUsername": sign_up_with(username=""),
        "BadPassword": sign_up_with(password=""),
        "UsernameTaken": taken_name,
        "EmailTaken": taken_email,
        "BadIdempotencyKey": plain(
            "POST",
            "/login/register",
            {"username": "someone", "email": "s@example.org", "password": PASSWORD},
            headers={"idempotency-key": "x" * 1000},
        ),
        "IdempotencyConflict": sign_up_again,
        "SecondFactorRequired": sign_up_again_with_factor,
    },
    "POST /login/totp": {"FactorExists": enrol_twice(confirmed=False)},
    "POST /login/totp/confirm": {
        "TotpOn": _valid(lambda asked: asked)(enrolled),
        "BadCode": _valid(lambda asked: asked.but(body={"code": "wrong"}))(enrolled),
        "FactorExists": enrol_twice(confirmed=True),
        **{name: build(enrolled) for name, build in SHARED.items()},
    },
    "DELETE /login/totp": {"BadCredentials": valid_but("DELETE /login/totp", body={"password": "wrong"})},
    "POST /login/passkey/options": {"BadPasskey": valid_but("POST /login/passkey/options", headers=NO_NAME)},
    "POST /login/passkey": {"BadPasskey": valid_but("POST /login/passkey", headers=NO_NAME)},
    "DELETE /login/passkey/{passkey_id}": {"PasskeyNotFound": _valid(_at(NOBODY))(without_passkey)},
    "POST /login/passkey/challenge": {
        "RequestOptions": plain("POST", "/login/passkey/challenge", headers=ON_A_NAME),
        "BadPasskey": plain("POST", "/login/passkey/challenge", headers=NO_NAME),
    },
    "POST /login/passkey/verify": {
        "SessionOpened": passkey_answer(),
        "BadPasskey": passkey_answer(signature=b"wrong"),
        "UserIsDeleted": passkey_answer(gone=True),
        "BadJson": plain("POST", "/login/passkey/verify", b"{"),
        "BadContentType": plain(
            "POST", "/login/passkey/verify", b"{}", headers={"content-type": "text/plain"}
        ),
    },
    "POST /login/factor": {
        "SessionOpened": second_step(),
        "BadCode": second_step("wrong"),
        "BadToken": plain("POST", "/login/factor", {"ticket": "regf_nothing", "code": "314159"}),
        "UserIsDeleted": second_step(deleted=True),
        "BadJson": plain("POST", "/login/factor", b"{"),
        "BadContentType": plain("POST", "/login/factor", b"{}", headers={"content-type": "text/plain"}),
    },
    "GET /login/userId/{username}": {
        "AccountNotFound": _valid(_at("nobody"))(VALID["GET /login/userId/{username}"][1])
    },
    "POST /login/password": {
        "BadCredentials": valid_but("POST /login/password", body={**PASSWORDS, "password": "wrong"}),
        "BadPassword": valid_but("POST /login/password", body={**PASSWORDS, "newPassword": 5}),
        "PasswordAtSource": of_source,
    },
    "POST /login/recover": {
        "RecoveryAccepted": plain("POST", "/login/recover", {"username": "nobody"}),
        "BadJson": plain("POST", "/login/recover", {"email": 5}),
        "BadContentType": plain("POST", "/login/recover", b"{}", headers={"content-type": "text/plain"}),
    },
    "POST /login/recover/finish": {
        "BadRecovery": plain("POST", "/login/recover/finish", {"token": "regl_x", "password": PASSWORD}),
        "BadPassword": plain("POST", "/login/recover/finish", {"token": "regl_x", "password": 5}),
        "BadJson": plain("POST", "/login/recover/finish", {"password": PASSWORD}),
        "BadContentType": plain(
            "POST", "/login/recover/finish", b"{}", headers={"content-type": "text/plain"}
        ),
    },
    "POST /login/email": {
        "BadCredentials": valid_but("POST /login/email", body={**NEW_ADDRESS, "password": "wrong"}),
        "BadEmail": valid_but("POST /login/email", body={**NEW_ADDRESS, "email": 5}),
    },
    "POST /login/email/undo": {
        "BadLink": plain("POST", "/login/email/undo", {"token": "regl_nothing"}),
        "BadJson": plain("POST", "/login/email/undo", {"token": 5}),
        "BadContentType": plain("POST", "/login/email/undo", b"{}", headers={"content-type": "text/plain"}),
    },
    "POST /login/code": {
        "CodeAccepted": plain("POST", "/login/code", {"email": "nobody@example.org"}),
        "BadEmail": plain("POST", "/login/code", {"email": "nobody"}),
        "BadPhone": plain("POST", "/login/code", {"phone": "+1"}),
        "BadJson": plain("POST", "/login/code", {"email": "a@example.org", "phone": "+380501112233"}),
        "BadContentType": plain("POST", "/login/code", b"{}", headers={"content-type": "text/plain"}),
    },
    "POST /login/code/verify": {
        "BadCode": plain("POST", "/login/code/verify", {"email": "nobody@example.org", "code": "314159"}),
        "BadEmail": plain("POST", "/login/code/verify", {"email": "nobody", "code": "314159"}),
        "BadPhone": plain("POST", "/login/code/verify", {"phone": "+1", "code": 314159}),
        "BadJson": plain("POST", "/login/code/verify", {"email": "nobody@example.org", "code": True}),
        "BadContentType": plain("POST", "/login/code/verify", b"{}", headers={"content-type": "text/plain"}),
    },
    "POST /login/email/verify": {
        "BadLink": plain("POST", "/login/email/verify", {"token": "regl_nothing"}),
        "BadJson": plain("POST", "/login/email/verify", {"token": 5}),
        "BadContentType": plain("POST", "/login/email/verify", b"{}", headers={"content-type": "text/plain"}),
    },
    "POST /login/email/resend": {"TooManyRequests": mailed_enough},
    "GET /login/username/{user_id}": {
        "AccountNotFound": _valid(_at(NOBODY))(VALID["GET /login/username/{user_id}"][1])
    },
    "DELETE /login/sessions/{session_id}": {"SessionNotFound": _valid(_at(NOBODY))(end_session)},
    "POST /login/tokens": {
        "BadTokenName": valid_but("POST /login/tokens", body={"name": 5}),
        "BadExpiresIn": valid_but("POST /login/tokens", body={"name": "a", "expiresIn": True}),
        "TooManyTokens": named_token_too_many,
        "NamedTokenRefused": named_token_by_one,
    },
    "POST /room/create": {
        **published("POST /room/create"),
        "BadOtherUsers": valid_but("POST /room/create", body={"otherUsers": "all"}),
        "BadId": valid_but("POST /room/create", body={"otherUsers": ["x"]}),
        "BadRoomName": valid_but("POST /room/create", body={"name": 5}),
        "AccountNotFound": valid_but("POST /room/create", body={"otherUsers": [NOBODY]}),
        "TooManyUsers": crowded("POST /room/create", room=False),
        "InvitationRefused": unwanted("POST /room/create"),
        "QuotaExceeded": exhausted("POST /room/create"),
    },
    "POST /room/push": {
        "BadSubscription": valid_but("POST /room/push", body={"endpoint": "http://10.0.0.1/"})
    },
    "DELETE /room/push/{subscription}": {"SubscriptionNotFound": _valid(_at(NOBODY))(unsubscribe)},
    "GET /room/events": {
        # A stream has no end; with one it is called in test_document_truth.
        "RoomEventStream": valid_but("GET /room/events", method="HEAD"),
        "EventStreamHead": valid_but("GET /room/events", method="HEAD"),
        "BadCursor": valid_but("GET /room/events", headers={"last-event-id": "x"}),
    },
    "GET /room/list": {"BadId": valid_but("GET /room/list", path="/room/list?before=x")},
    "POST /room/invite/{room}": {
        **published("POST /room/invite/{room}"),
        "BadOtherUsers": valid_but("POST /room/invite/{room}", body={}),
        "AccountNotFound": valid_but("POST /room/invite/{room}", body={"otherUsers": [NOBODY]}),
        "TooManyUsers": crowded("POST /room/invite/{room}", room=True),
        "InvitationRefused": unwanted("POST /room/invite/{room}"),
        "QuotaExceeded": exhausted("POST /room/invite/{room}"),
    },
    "POST /room/accept/{room}": {"TooManyUsers": accept_too_late},
    "POST /login/block/{user_id}": {
        "AccountNotFound": _valid(_at(NOBODY))(block("POST")),
        "TooManyBlocks": block_too_many,
    },
    "POST /room/post/{room}": {
        **published("POST /room/post/{room}"),
        "BadPostContent": valid_but("POST /room/post/{room}", body={"content": ""}),
        "QuotaExceeded": exhausted("POST /room/post/{room}"),
    },
    "POST /room/edit/{post}": {
        "BadPostContent": valid_but("POST /room/edit/{post}", body={"content": ""}),
        "QuotaExceeded": exhausted("POST /room/edit/{post}"),
        "PostNotFound": _valid(_at(NOBODY))(own_post("edit", {"content": "x"})),
        "NotYourPost": others_post("edit", {"content": "x"}),
    },
    "POST /room/delete/{post}": {
        "PostNotFound": _valid(_at(NOBODY))(own_post("delete")),
        "NotYourPost": others_post("delete"),
    },
    "POST /room/rename/{room}": {
        "BadRoomName": valid_but("POST /room/rename/{room}", body={"name": ""}),
        "NotRoomOwner": not_owned("rename"),
    },
    "POST /room/kick/{room}": {
        "AccountNotFound": valid_but("POST /room/kick/{room}", body={"userId": NOBODY}),
        "NotRoomOwner": not_owned("kick", member=True),
    },
    "GET /room/search/{room}": {
        "BadSearch": _valid(lambda asked: asked.but(path=asked.path.replace("tea", "")))(
            in_room("GET", "/room/search/{room}?q=tea")
        )
    },
    "GET /room/members/{room}": {"BadId": _valid(_at("x"))(in_room("GET", "/room/members/{room}"))},
    "GET /room/people": {"BadSearch": valid_but("GET /room/people", path="/room/people")},
    "GET /room/read/{post}": {"PostNotFound": _valid(_at(NOBODY))(read)},
    "POST /room/seen/{room}": {
        "PostNotFound": _valid(lambda asked: asked.but(body={"postId": NOBODY}))(seen)
    },
    "GET /register/{registration}/events": {
        "EventStream": watched,
        "EventStreamHead": looked_at,
        "Done": watched_to_the_end,
        "RegistrationNotFound": plain("GET", "/register/u-nobody/events"),
    },
    "POST /rpc": steps("/rpc"),
    "POST /": steps("/"),
}


def provocation(operation: str, name: str) -> Provocation | None:
    """How an answer or refusal of an operation is provoked on a Stage."""
    own = TABLE.get(operation, {}).get(name)
    if own is not None or operation not in VALID:
        return own
    success, valid = VALID[operation]
    if name == success:
        return _valid(lambda asked: asked)(valid)
    return SHARED[name](valid) if name in SHARED else None
