"""Who may sign up, at every door of a running server: each mode, each bad invitation, and many who come at once."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import trio

from tests.security.test_race import at_once
from tests.system.server import Server, listening, open_server, run_here
from tests.system.steps_client import StepsClient, logged_code
from tests.system.test_live import ADA, watch

GRACE = {"username": "grace", "password": "nanosecond wire"}
Outcome = Literal["made", "invite", "waits", "closed", "absent"]
PASSWORD = "a long password of theirs"
KEY = "the key of the identity service"
SETTINGS = (f"steps.identity_secure_key={KEY}", "steps.require_token=false")


class Place:
    """A running server, and the commands of its operator."""

    def __init__(self, server: Server, client: httpx.AsyncClient, folder: Path) -> None:
        self.server = server
        self.client = client
        self.folder = folder

    async def command(self, *arguments: str) -> Any:
        store = ("--set", "store.url=sqlite:test.db", "--json")
        return json.loads(await run_here(*arguments, *store, folder=self.folder))

    async def invite(self, *arguments: str) -> str:
        return str((await self.command("invite", "create", *arguments))["invitation"])

    async def mailed(self, to: str) -> str:
        """What stands behind the # of the newest mail to an address."""
        await self.server.wait_line(lambda line: to in str(line) and "#" in str(line))
        lines = [str(line) for line in self.server.lines if to in str(line) and "#" in str(line)]
        found = re.findall(r"#([A-Za-z0-9_-]{20,})", lines[-1])
        return str(found[-1])

    async def info(self, token: str) -> httpx.Response:
        return await self.client.get("/login/info", headers={"authorization": f"Bearer {token}"})

    async def standing(self, username: str) -> Outcome:
        """Of an account that was made."""
        found = await self.command("user", "show", username)
        return "waits" if found["waitsFor"] else "made"


@asynccontextmanager
async def opened(folder: Path, *settings: str) -> AsyncIterator[Place]:
    async with open_server(folder, [*SETTINGS, *settings]) as server, server.client() as client:
        yield Place(server, client, folder)


Door = Callable[[Place, str, str], Awaitable[Outcome]]


# --- the doors: somebody comes with a name and an invitation, or ""
async def rooms(place: Place, name: str, invitation: str) -> Outcome:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "invitation": invitation}
    for _ in range(100):
        answer = await place.client.post("/login/register", json=body)
        if answer.status_code != 503:
            break
        await trio.sleep(0.1)  # more came at once than a busy machine can hash in time
    match answer.status_code, answer.json():
        case 404, {"error": "RouteNotFound"}:
            return "absent"
        case 403, {"error": "RegistrationClosed"}:
            return "closed"
        case 403, {"error": "InvitationRequired"}:
            return "invite"
        case 201, made:
            info = await place.info(made["token"])
            if info.status_code == 200:
                return "made"
            assert (info.status_code, info.json()) == (403, {"error": "NotApproved", "waitsFor": "approval"})
            return "waits"
    raise AssertionError(answer.text)


async def directory(place: Place, name: str, invitation: str) -> Outcome:
    email = f"{name}@example.org"
    body = {"userName": name, "email": email, "password": PASSWORD, "invitation": invitation}
    answer = await place.client.post("/init", json=body)
    match answer.status_code, answer.json():
        case 404, _:
            return "absent"
        case 403, {"id": "REGISTRATION_CLOSED"}:
            return "closed"
        case 403, {"id": "INVITATION_REQUIRED"}:
            return "invite"
        case 200, {"id": "INIT_DONE"}:
            challenge = await place.mailed(email)
            confirmed = await place.client.post(f"/{challenge}/confirm")
            assert confirmed.status_code == 200
            return await place.standing(name)
    raise AssertionError(answer.text)


async def steps(place: Place, name: str, invitation: str) -> Outcome:
    client, phone = StepsClient(place.client), f"+38050{len(name):07d}"
    try:
        reply = await client.reply("firstStep", phone=phone, captcha="", invitation=invitation)
    except AssertionError:
        return "absent"
    if "error" in reply:
        assert reply["error"]["code"] == 1114
        return "closed" if reply["error"]["message"] == "Registration is closed" else "invite"
    code = await logged_code(place.server, phone)
    user_id = await client.to_named(phone, name, code)
    assert (await client.register(name, user_id, phone=phone))["result"]["currentState"] == "registered"
    return await place.standing(name)


async def identity(place: Place, name: str, invitation: str) -> Outcome:
    """The steps, for a person whom the identity service vouches for."""
    who = {"identity": name, "provider": "google"}
    try:
        reply = await StepsClient(place.client).reply(
            "createIdentity", **who, secureKey=KEY, invitation=invitation
        )
    except AssertionError:
        return "absent"
    if "error" in reply:
        assert reply["error"]["code"] == 1114
        return "closed" if reply["error"]["message"] == "Registration is closed" else "invite"
    client = StepsClient(place.client)
    user_id = (await client.call("setUsername", **who, username=name))["userId"]
    assert "result" in await client.register(name, user_id, **who)
    return await place.standing(name)


async def live(place: Place, name: str, invitation: str) -> Outcome:
    """Somebody whom the source knows, one without an invitation and one with; the name is not asked for."""
    answer = await place.client.post(
        "/login", json={**(GRACE if invitation else ADA), "invitation": invitation}
    )
    match answer.status_code, answer.json():
        case 401, _:
            return "absent"
        case 403, {"error": "RegistrationClosed"}:
            return "closed"
        case 403, {"error": "InvitationRequired"}:
            return "invite"
        case 303, begun:
            async with listening(begun["location"]) as listener:
                last = (await watch(listener))[-1]
            info = await place.info(last["additionalData"]["token"])
            return "made" if info.status_code == 200 else "waits"
    raise AssertionError(answer.text)


DOORS: dict[str, tuple[str, Door]] = {
    "rooms": ("rooms", rooms),
    "directory": ("directory", directory),
    "steps": ("steps", steps),
    "identity": ("steps", identity),
    "live": ("live", live),
}
# What becomes of somebody without an invitation, and of somebody with one.
MODES: dict[str, tuple[Outcome, Outcome]] = {
    "open": ("made", "made"),
    "invite": ("invite", "made"),
    "approve": ("waits", "made"),
    "closed": ("closed", "closed"),
    "off": ("absent", "absent"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("door", DOORS)
async def test_every_door_in_every_mode(tmp_path: Path, door: str, mode: str) -> None:
    setting, come = DOORS[door]
    alone, invited = MODES[mode]
    async with opened(tmp_path, f"signup.doors.{setting}={mode}") as place:
        assert await come(place, "alone", "") == alone
        assert await come(place, "invited", await place.invite()) == invited
        (listed,) = await place.command("invite", "list")
        assert listed["used"] == (mode in {"invite", "approve"})


async def test_one_setting_for_all_doors_but_the_source_s(tmp_path: Path) -> None:
    async with opened(tmp_path, "signup.mode=invite") as place:
        for door, come in (
            ("rooms", rooms),
            ("directory", directory),
            ("steps", steps),
            ("identity", identity),
        ):
            assert await come(place, f"one{door}", "") == "invite", door
        assert await live(place, "", "") == "made"


@pytest.mark.parametrize("wrong", ["unknown", "used up", "expired", "revoked", "other address"])
async def test_no_bad_invitation_is_told_from_another(tmp_path: Path, wrong: str) -> None:
    """One wrong thing each, at each door: the same bytes."""
    async with opened(tmp_path, "signup.mode=invite", "signup.doors.live=invite") as place:
        bound = ("--email", "other@example.org") if wrong == "other address" else ()
        invitation = await place.invite(*bound)
        if wrong == "unknown":
            invitation = invitation[:-3] + "xyz"
        elif wrong == "used up":
            assert await rooms(place, "first", invitation) == "made"
        elif wrong == "revoked":
            await place.command("invite", "revoke", "1")
        elif wrong == "expired":
            expire(tmp_path)
        bodies = []
        for given in (invitation, "", "regi_" + "x" * 43):
            body = {"username": "ann", "email": "ann@example.org", "password": PASSWORD, "invitation": given}
            answer = await place.client.post("/login/register", json=body)
            bodies.append((answer.status_code, answer.content))
        assert bodies == [(403, b'{"error":"InvitationRequired"}')] * 3
        for name, (_, come) in DOORS.items():
            assert await come(place, f"two{name}", invitation) == "invite", name


def expire(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "test.db", timeout=20)) as connection, connection:
        connection.execute("UPDATE invitation SET expires_at = 1")


async def test_200_at_once_are_as_many_as_the_invitation_has_uses(tmp_path: Path) -> None:
    async with opened(tmp_path, "signup.mode=invite") as place:
        invitation = await place.invite("--uses", "9")
        outcomes = await at_once(lambda number: rooms(place, f"person{number}", invitation), times=200)
        assert Counter(outcomes) == {"made": 9, "invite": 191}
        (listed,) = await place.command("invite", "list")
        assert (listed["used"], listed["uses"]) == (9, 9)


async def test_a_kill_amid_sign_ups_leaves_as_many_accounts_as_uses(tmp_path: Path) -> None:
    async with opened(tmp_path, "signup.mode=invite") as place:
        invitation = await place.invite("--uses", "500")
        async with trio.open_nursery() as nursery:
            made = trio.Event()

            async def one(number: int) -> None:
                name = f"person{number}"
                body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
                try:
                    answer = await place.client.post(
                        "/login/register", json={**body, "invitation": invitation}
                    )
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    made.set()
                else:  # on a busy machine a crowd waits too long for its hashes
                    assert answer.json() == {"error": "ServerBusy"}

            for number in range(120):
                nursery.start_soon(one, number)
            await made.wait()
            place.server.process.kill()
        (listed,) = await place.command("invite", "list")
    async with opened(tmp_path, "signup.mode=invite") as place:
        assert 0 < listed["used"] == accounts(tmp_path)
        assert (await place.client.get("/health/ready")).status_code == 200


def accounts(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "test.db", timeout=20)) as connection:
        return int(connection.execute("SELECT count(*) FROM account").fetchone()[0])


async def test_tries_are_limited_at_every_door(tmp_path: Path) -> None:
    limits = ("limits.enabled=true", 'limits.routes={invitation = "2/1d"}', "signup.doors.live=invite")
    async with opened(tmp_path, *limits, "signup.mode=invite") as place:
        invitation = await place.invite()
        for name in ("one", "two"):
            assert await rooms(place, name, "regi_x") == "invite"
        body = {"username": "ann", "email": "ann@example.org", "password": PASSWORD, "invitation": invitation}
        assert (await place.client.post("/login/register", json=body)).status_code == 429
        assert (await place.client.post("/login", json={**ADA, "invitation": invitation})).status_code == 429
        begun = {
            "userName": "annie",
            "email": "a@example.org",
            "password": PASSWORD,
            "invitation": invitation,
        }
        answer = await place.client.post("/init", json=begun)
        assert (answer.status_code, answer.json()["id"]) == (429, "TOO_MANY_REQUESTS")
        reply = await StepsClient(place.client).reply(
            "firstStep", phone="+380501112233", captcha="", invitation=invitation
        )
        assert reply["error"]["code"] == 429
        assert "nextRetry" in reply["error"]
        assert await rooms(place, "three", "") == "invite", "without one nothing is tried"


# --- approval
async def test_an_account_is_approved_by_the_mailed_link_and_by_command(tmp_path: Path) -> None:
    settings = (
        "signup.mode=approve",
        "signup.operator=op@example.net",
        "server.public_url=https://example.org",
    )
    async with opened(tmp_path, *settings) as place:
        ann = {"username": "ann", "email": "ann@example.org", "password": PASSWORD}
        token = (await place.client.post("/login/register", json=ann)).json()["token"]
        waits = (403, {"error": "NotApproved", "waitsFor": "approval"})
        signed_in = await place.client.post("/login", json=ann)
        assert (signed_in.status_code, signed_in.json()) == waits
        wrong = await place.client.post("/login", json={**ann, "password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (401, {"error": "BadCredentials"})
        async with listening(f"{place.server.socket_url}/room/websocket?token={token}") as socket:
            assert await socket.text() == "NotApproved"
            assert await socket.close_code() == 1008
        secret = await place.mailed("op@example.net")
        standing = await place.client.post("/approve/standing", json={"token": secret})
        assert standing.json()["state"] == "pending"
        assert "ann@example.org" in standing.json()["text"]
        form = {"token": secret}
        assert (await place.client.get("/approve")).status_code == 200
        assert (await place.info(token)).status_code == 403, "the page alone approves nothing"
        done = await place.client.post("/approve", data=form)
        assert (done.status_code, "ann" in done.text) == (200, True)
        assert (await place.client.post("/approve", data=form)).status_code == 404
        assert (await place.info(token)).status_code == 200
        assert (await place.client.post("/login", json=ann)).status_code == 200
        told = await place.server.wait_line(lambda line: "is approved" in str(line))
        assert "ann@example.org" in str(told)

        ben = {**ann, "username": "ben", "email": "ben@example.org"}
        token = (await place.client.post("/login/register", json=ben)).json()["token"]
        assert [each["username"] for each in await place.command("user", "waiting")] == ["ben"]
        await place.command("user", "approve", "ben")
        assert (await place.info(token)).status_code == 200


async def test_who_is_rejected_is_erased_and_may_come_again(tmp_path: Path) -> None:
    async with opened(tmp_path, "signup.mode=approve") as place:
        ann = {"username": "ann", "email": "ann@example.org", "password": PASSWORD}
        token = (await place.client.post("/login/register", json=ann)).json()["token"]
        number = (await place.command("user", "approve", "ann", "--reject"))["number"]
        with trio.fail_after(30):
            await place.server.wait_line(lambda line: line["message"] == f"account {number} is erased")
        assert (await place.info(token)).status_code == 410
        assert (await place.client.post("/login", json=ann)).status_code == 401
        assert (await place.client.post("/login/register", json=ann)).status_code == 201


async def test_a_typed_domain_opens_nothing_until_the_mailbox_is_read(tmp_path: Path) -> None:
    async with opened(tmp_path, "signup.mode=invite", 'signup.domains=["school.example"]') as place:
        ann = {"username": "ann", "email": "ann@school.example", "password": PASSWORD}
        token = (await place.client.post("/login/register", json=ann)).json()["token"]
        answer = await place.info(token)
        assert (answer.status_code, answer.json()["waitsFor"]) == (403, "verification")
        verified = await place.client.post(
            "/login/email/verify", json={"token": await place.mailed("ann@school.example")}
        )
        assert verified.status_code == 200
        assert (await place.info(token)).status_code == 200
        like = {**ann, "username": "bob", "email": "bob@evilschool.example"}
        assert (await place.client.post("/login/register", json=like)).status_code == 403


async def test_secrets_are_in_no_log_and_no_file(tmp_path: Path) -> None:
    settings = (
        "signup.mode=invite",
        "signup.doors.rooms=approve",
        "signup.operator=op@example.net",
        "log.level=debug",
    )
    async with opened(tmp_path, *settings) as place:
        invitation = await place.invite("--email", "hidden@example.org")
        assert await directory(place, "annie", invitation) == "invite"
        assert await rooms(place, "ben", "") == "waits"
        link = await place.mailed("op@example.net")
        printed = place.server.printed
    assert invitation not in printed
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("test.db"))
    for secret in (invitation, link, "hidden@example.org"):
        assert secret.encode() not in kept
