"""How each answer of the routes below /admin is provoked: by keys that are written into the store of a running app."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from regserver.adapters.server_key import read_server_key
from regserver.app import App
from regserver.config import Loaded, Secret
from regserver.domain.contact import Contact, Pepper
from regserver.domain.operator_key import MOST_KEYS
from regserver.domain.secret import hash_secret
from regserver.service.operator.server import ReloadOutcome
from tests.web.provocation import NOBODY, PASSWORD, Asked, Person, Stage

KEYS = {"admin": "regs_op_" + "a" * 43, "publish": "regs_op_" + "p" * 43}


IDENTITY = "somebody at both providers"


class Office:
    """A stage whose store has an operator's keys."""

    def __init__(self, stage: Stage, database: Path, app: App) -> None:
        self.stage = stage
        self.app = app
        self._database = database
        for name, secret in KEYS.items():
            values = name, name, hash_secret(secret)
            self.sql("INSERT INTO operator_key (name, role, hash, created_at) VALUES (?, ?, ?, 0)", *values)

    def sql(self, statement: str, *values: object) -> None:
        """As another process does it."""
        with closing(sqlite3.connect(self._database, timeout=20)) as connection, connection:
            connection.execute(statement, values)

    def asked(self, method: str, path: str, body: Any = None) -> Asked:
        return Asked(method=method, path=f"/admin/{path}", body=body, by=KEYS["admin"])

    async def do(self, method: str, path: str, body: Any = None) -> Any:
        return await self.stage.ask_json(self.asked(method, path, body))

    async def steps(self) -> Any:
        """The registrations by steps: two of one identity at two providers."""
        pepper = Pepper(read_server_key(self._database.with_suffix(".key")).derive("pepper"))
        for provider in ("one", "two"):
            contact = Contact("identity", IDENTITY, provider)
            statement = (
                "INSERT OR IGNORE INTO steps_registration (contact, lookup, kind, mask, provider, state, code_tries, resends,"
                " updated_at) VALUES (?, ?, 'identity', '***', ?, 'setUsername', 0, 0, 0)"
            )
            self.sql(statement, pepper.contact_key(contact), pepper.lookup_key(contact), provider)
        return (await self.do("GET", "steps"))["registrations"]

    async def user(self, change: str = "") -> Person:
        """Somebody, whose row is changed as a statement says."""
        person = await self.stage.person()
        if change:
            self.sql(f"UPDATE account SET {change} WHERE id = ?", person.id)  # noqa: S608  (of this module)
        return person


Make = Callable[[Office], Awaitable[Asked]]


def plain(method: str, path: str, body: Any = None) -> Make:
    async def make(office: Office) -> Asked:
        return office.asked(method, path, body)

    return make


def of_user(method: str, tail: str = "", body: Any = None, change: str = "", before: str = "") -> Make:
    """before: what is done with the account first."""

    async def make(office: Office) -> Asked:
        person = await office.user(change)
        if before:
            method_before, _, tail_before = before.partition(" ")
            await office.do(method_before, f"users/{person.name}{tail_before}")
        return office.asked(method, f"users/{person.name}{tail}", body)

    return make


def of_room(method: str, tail: str = "") -> Make:
    async def make(office: Office) -> Asked:
        person = await office.user()
        room = await office.stage.room(person)
        return office.asked(method, f"rooms/{room}{tail.format(person=person)}")

    return make


async def remove_post(office: Office) -> Asked:
    person = await office.user()
    post = await office.stage.post(person, await office.stage.room(person))
    return office.asked("DELETE", f"posts/{post}")


async def uninvite(office: Office) -> Asked:
    number = (await office.do("POST", "invitations"))["invitation"]["number"]
    return office.asked("DELETE", f"invitations/{number}")


async def end_session(office: Office) -> Asked:
    person = await office.user()
    shown = await office.do("GET", f"users/{person.name}/sessions")
    return office.asked("DELETE", f"users/{person.name}/sessions/{shown['sessions'][0]['sessionId']}")


async def make_user(office: Office) -> Asked:
    name = office.stage.name()
    body = {"username": name, "email": f"{name}@example.com", "emailVerified": True, "password": PASSWORD}
    return office.asked("POST", "users", body)


def taken(member: str) -> Make:
    async def make(office: Office) -> Asked:
        first = await make_user(office)
        await office.stage.ask_json(first)
        second = await make_user(office)
        return second.but(body={**second.body, member: first.body[member]})

    return make


async def rename_to_a_taken_name(office: Office) -> Asked:
    person, other = await office.user(), await office.user()
    return office.asked("POST", f"users/{person.name}/rename", {"username": other.name})


async def make_key(office: Office) -> Asked:
    return office.asked("POST", "keys", {"name": office.stage.name(), "role": "read"})


async def revoke_key(office: Office) -> Asked:
    asked = await make_key(office)
    await office.stage.ask_json(asked)
    return office.asked("DELETE", f"keys/{asked.body['name']}")


async def too_many_keys(office: Office) -> Asked:
    """The last one to be asked for keys."""
    for number in range(MOST_KEYS):
        secret = hash_secret(f"k{number}")
        statement = "INSERT INTO operator_key (name, role, hash, created_at) VALUES (?, 'read', ?, 0)"
        office.sql(statement, f"k{number}", secret)
    return await make_key(office)


async def try_mail(office: Office) -> Asked:
    """With a mail server at which nothing listens."""
    settings = office.app.loaded.settings
    mail = msgspec.structs.replace(settings.mail, smtp=Secret("smtp://127.0.0.1:9"))
    loaded = Loaded(msgspec.structs.replace(settings, mail=mail), None)
    for prepared in [await prepare(loaded) for prepare in office.app.whole.reload]:
        prepared.apply()
    return office.asked("POST", "mail/test", {"to": "ann@example.org"})


async def reload_settings(office: Office) -> Asked:
    async def run() -> ReloadOutcome:
        return ReloadOutcome(("log.level",), ("server.bind",), ())

    for take in office.app.whole.reloads:
        take(run)
    return office.asked("POST", "reload")


def of_both(tail: str) -> Make:
    async def make(office: Office) -> Asked:
        await office.steps()
        return office.asked("POST", f"steps/{tail}", {"contact": IDENTITY, "identity": True})

    return make


async def unlock_steps(office: Office) -> Asked:
    begun = (await office.steps())[0]["id"]
    return office.asked("POST", f"steps/{begun}/unlock")


async def one_steps(office: Office) -> Asked:
    begun = (await office.steps())[0]["id"]
    return office.asked("GET", f"steps/{begun}")


def of_webhook(method: str, tail: str = "", body: Any = None) -> Make:
    async def make(office: Office) -> Asked:
        added = await office.do("POST", "webhooks", {"url": "http://127.0.0.1:9/hook"})
        return office.asked(method, f"webhooks/{added['number']}{tail}", body)

    return make


USER = "/admin/users/{user}"
AT_SOURCE = "subject = 'ada' || id, source = 'file', source_name = 'ada'"
NEW_NAME = {"username": "another-name"}
GONE = f"users/{NOBODY}"

TABLE: dict[str, dict[str, Make]] = {
    "GET /admin/users": {
        "UserPage": plain("GET", "users?search=person&limit=2"),
        "BadId": plain("GET", "users?after=x"),
    },
    "GET /admin/waiting": {"UserPage": plain("GET", "waiting")},
    "POST /admin/users": {
        "UserMade": make_user,
        "BadUsername": plain("POST", "users", {"username": "x"}),
        "BadEmail": plain("POST", "users", {"username": "somebody", "email": "x"}),
        "BadPassword": plain("POST", "users", {"username": "somebody", "password": "password"}),
        "UsernameTaken": taken("username"),
        "EmailTaken": taken("email"),
        "BadJson": plain("POST", "users", {"username": 5}),
    },
    f"GET {USER}": {"UserDetail": of_user("GET"), "AccountNotFound": plain("GET", GONE)},
    f"DELETE {USER}": {
        "UserChanged": of_user("DELETE"),
        "AccountNotFound": plain("DELETE", GONE),
        "AccountUnchanged": of_user("DELETE", before="DELETE "),
    },
    f"POST {USER}/password": {
        "Done": of_user("POST", "/password", {"password": PASSWORD}),
        "BadJson": of_user("POST", "/password", {}),
        "BadPassword": of_user("POST", "/password", {"password": "short"}),
        "PasswordAtSource": of_user("POST", "/password", {"password": PASSWORD}, AT_SOURCE),
        "AccountNotFound": plain("POST", f"{GONE}/password", {"password": PASSWORD}),
        "UserIsDeleted": of_user("POST", "/password", {"password": PASSWORD}, before="DELETE "),
    },
    f"POST {USER}/reset-link": {
        "ResetLinkMade": of_user("POST", "/reset-link", {"expiresIn": 600}),
        "BadJson": of_user("POST", "/reset-link", {"expiresIn": 5}),
        "PasswordAtSource": of_user("POST", "/reset-link", None, AT_SOURCE),
        "AccountNotFound": plain("POST", f"{GONE}/reset-link"),
        "UserIsDeleted": of_user("POST", "/reset-link", before="DELETE "),
    },
    f"POST {USER}/rename": {
        "UserChanged": of_user("POST", "/rename", NEW_NAME),
        "BadJson": of_user("POST", "/rename", {}),
        "BadUsername": of_user("POST", "/rename", {"username": "x"}),
        "AccountNotFound": plain("POST", f"{GONE}/rename", {"username": "yet-another"}),
        "UsernameTaken": rename_to_a_taken_name,
        "NameOnLedger": of_user(
            "POST", "/rename", {"username": "third-name"}, "ledger_name = 'reg1abcdefgh'"
        ),
        "UserIsDeleted": of_user("POST", "/rename", {"username": "fourth-name"}, before="DELETE "),
    },
    f"POST {USER}/suspend": {
        "UserChanged": of_user("POST", "/suspend"),
        "AccountNotFound": plain("POST", f"{GONE}/suspend"),
        "AccountUnchanged": of_user("POST", "/suspend", before="POST /suspend"),
        "UserIsDeleted": of_user("POST", "/suspend", before="DELETE "),
    },
    f"POST {USER}/resume": {
        "UserChanged": of_user("POST", "/resume", before="POST /suspend"),
        "AccountNotFound": plain("POST", f"{GONE}/resume"),
        "AccountUnchanged": of_user("POST", "/resume"),
    },
    f"POST {USER}/restore": {
        "UserChanged": of_user("POST", "/restore", before="DELETE "),
        "AccountNotFound": plain("POST", f"{GONE}/restore"),
        "AccountUnchanged": of_user("POST", "/restore"),
    },
    f"POST {USER}/approve": {
        "UserChanged": of_user("POST", "/approve", None, "waits_for = 'approval'"),
        "AccountNotFound": plain("POST", f"{GONE}/approve"),
        "AccountUnchanged": of_user("POST", "/approve"),
    },
    f"POST {USER}/reject": {
        "UserChanged": of_user("POST", "/reject", None, "waits_for = 'approval'"),
        "AccountNotFound": plain("POST", f"{GONE}/reject"),
        "AccountUnchanged": of_user("POST", "/reject"),
    },
    f"GET {USER}/sessions": {
        "UserSessions": of_user("GET", "/sessions"),
        "AccountNotFound": plain("GET", f"{GONE}/sessions"),
    },
    f"DELETE {USER}/sessions": {
        "SessionsEnded": of_user("DELETE", "/sessions"),
        "AccountNotFound": plain("DELETE", f"{GONE}/sessions"),
    },
    f"DELETE {USER}/sessions/{{session_id}}": {
        "Done": end_session,
        "AccountNotFound": plain("DELETE", f"{GONE}/sessions/5"),
        "SessionNotFound": of_user("DELETE", f"/sessions/{NOBODY}"),
    },
    "GET /admin/invitations": {"InvitationList": plain("GET", "invitations")},
    "POST /admin/invitations": {
        "InvitationAdded": plain("POST", "invitations", {"uses": 3, "note": "x", "expiresIn": 3600}),
        "BadJson": plain("POST", "invitations", {"uses": "all"}),
        "BadInvitation": plain("POST", "invitations", {"expiresIn": 2**40}),
        "BadEmail": plain("POST", "invitations", {"email": "x"}),
    },
    "DELETE /admin/invitations/{invitation}": {
        "Done": uninvite,
        "InvitationNotFound": plain("DELETE", f"invitations/{NOBODY}"),
    },
    "GET /admin/rooms": {"OperatedRooms": plain("GET", "rooms"), "BadId": plain("GET", "rooms?after=x")},
    "GET /admin/rooms/{room}": {
        "OperatedRoomDetail": of_room("GET"),
        "RoomNotFound": plain("GET", f"rooms/{NOBODY}"),
    },
    "DELETE /admin/rooms/{room}": {
        "Done": of_room("DELETE"),
        "RoomNotFound": plain("DELETE", f"rooms/{NOBODY}"),
    },
    "DELETE /admin/rooms/{room}/members/{user_id}": {
        "Done": of_room("DELETE", "/members/{person.id}"),
        "NotInRoom": of_room("DELETE", f"/members/{NOBODY}"),
        "RoomNotFound": plain("DELETE", f"rooms/{NOBODY}/members/1"),
    },
    "DELETE /admin/posts/{post}": {"Done": remove_post, "PostNotFound": plain("DELETE", f"posts/{NOBODY}")},
    "GET /admin/keys": {"KeyList": plain("GET", "keys")},
    "DELETE /admin/keys/{key}": {"Done": revoke_key, "KeyNotFound": plain("DELETE", "keys/nobody")},
    "GET /admin/audit": {
        "AuditPage": plain("GET", "audit?action=sign_in&limit=3"),
        "BadId": plain("GET", "audit?account=x"),
    },
    "POST /admin/audit/verify": {"AuditVerified": plain("POST", "audit/verify")},
    "GET /admin/mail": {"MailList": plain("GET", "mail")},
    "POST /admin/mail/retry": {
        "MailRequeued": plain("POST", "mail/retry", {"ids": [1]}),
        "BadJson": plain("POST", "mail/retry", {"ids": []}),
    },
    "POST /admin/mail/test": {
        "NoMailServer": plain("POST", "mail/test", {"to": "ann@example.org"}),
        "BadJson": plain("POST", "mail/test", {"to": 5}),
        "BadEmail": plain("POST", "mail/test", {"to": "nobody"}),
        "MailTried": try_mail,
    },
    "GET /admin/server": {"ServerState": plain("GET", "server")},
    "GET /admin/registrations": {"JobList": plain("GET", "registrations")},
    "POST /admin/reload": {
        "ReloadUnavailable": plain("POST", "reload"),
        "SettingsReloaded": reload_settings,
    },
    "GET /admin/limits": {"LimitList": plain("GET", "limits")},
    "POST /admin/limits/lift": {
        "LimitLifted": plain("POST", "limits/lift", {"client": "192.0.2.7"}),
        "BadJson": plain("POST", "limits/lift", {}),
        "BadClient": plain("POST", "limits/lift", {"client": "everybody"}),
    },
    f"GET {USER}/guesses": {
        "GuessList": of_user("GET", "/guesses"),
        "AccountNotFound": plain("GET", f"{GONE}/guesses"),
    },
    f"DELETE {USER}/guesses": {
        "LimitLifted": of_user("DELETE", "/guesses"),
        "AccountNotFound": plain("DELETE", f"{GONE}/guesses"),
    },
    "GET /admin/webhooks": {"WebhookList": plain("GET", "webhooks")},
    "POST /admin/webhooks": {
        "WebhookMade": plain(
            "POST", "webhooks", {"url": "http://127.0.0.1:9/hook", "events": ["user.created"]}
        ),
        "BadJson": plain("POST", "webhooks", {"url": 5}),
        "BadWebhook": plain("POST", "webhooks", {"url": "ftp://x"}),
    },
    "DELETE /admin/webhooks/{webhook}": {
        "Done": of_webhook("DELETE"),
        "WebhookNotFound": plain("DELETE", f"webhooks/{NOBODY}"),
    },
    "GET /admin/webhooks/{webhook}/deliveries": {
        "DeliveryList": of_webhook("GET", "/deliveries"),
        "WebhookNotFound": plain("GET", f"webhooks/{NOBODY}/deliveries"),
    },
    "POST /admin/webhooks/{webhook}/test": {
        "WebhookTried": of_webhook("POST", "/test"),
        "WebhookNotFound": plain("POST", f"webhooks/{NOBODY}/test"),
    },
    "POST /admin/webhooks/{webhook}/disable": {
        "Done": of_webhook("POST", "/disable"),
        "WebhookNotFound": plain("POST", f"webhooks/{NOBODY}/disable"),
    },
    "POST /admin/webhooks/{webhook}/enable": {
        "Done": of_webhook("POST", "/enable"),
        "WebhookNotFound": plain("POST", f"webhooks/{NOBODY}/enable"),
    },
    "POST /admin/webhooks/{webhook}/replay": {
        "WebhookReplayed": of_webhook("POST", "/replay", {"seconds": 60}),
        "BadJson": of_webhook("POST", "/replay", {"seconds": 60, "position": 1}),
        "WebhookNotFound": plain("POST", f"webhooks/{NOBODY}/replay", {"position": 1}),
    },
    "GET /admin/steps": {"StepsPage": plain("GET", "steps?limit=1"), "BadId": plain("GET", "steps?after=x")},
    "POST /admin/steps/find": {
        "StepsDetail": plain("POST", "steps/find", {"contact": "+380000000000"}),
        "BadJson": plain("POST", "steps/find", {"contact": 5}),
        "BadContactName": plain("POST", "steps/find", {"contact": "nobody"}),
        "SeveralProviders": of_both("find"),
    },
    "POST /admin/steps/unlock": {
        "StepsDetail": plain("POST", "steps/unlock", {"contact": "ann@example.org"}),
        "BadJson": plain("POST", "steps/unlock", {"contact": "x", "provider": 5}),
        "BadContactName": plain("POST", "steps/unlock", {"contact": "nobody"}),
        "SeveralProviders": of_both("unlock"),
    },
    "GET /admin/steps/{steps_id}": {
        "StepsDetail": one_steps,
        "StepsNotFound": plain("GET", "steps/nobody"),
    },
    "POST /admin/steps/{steps_id}/unlock": {
        "StepsDetail": unlock_steps,
        "StepsNotFound": plain("POST", f"steps/{'ab' * 32}/unlock"),
    },
    "POST /admin/keys": {
        "KeyAdded": make_key,
        "BadJson": plain("POST", "keys", {"name": "x"}),
        "BadKeyName": plain("POST", "keys", {"name": "X", "role": "read"}),
        "BadRole": plain("POST", "keys", {"name": "x", "role": "root"}),
        "KeyNameTaken": plain("POST", "keys", {"name": "admin", "role": "read"}),
        "TooManyKeys": too_many_keys,
    },
}

WITHOUT: dict[str, Callable[[Asked], Asked]] = {
    "MissingAuth": lambda asked: asked.but(by=""),
    "BadAuthType": lambda asked: asked.but(by="", headers={"authorization": "Basic eA=="}),
    "BadToken": lambda asked: asked.but(by="regs_op_nobody"),
    "NotPermitted": lambda asked: asked.but(by=KEYS["publish"]),
}
"""What is wrong with the key, at every route."""
