"""The OpenAPI document against the app: every operation is called with every answer and refusal that it names."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from regserver.app import App, open_app
from regserver.app.asgi import quart_app
from regserver.config import Loaded, Secret, Settings, Size
from regserver.config.live import LiveFile, LiveHttp, LiveSection
from regserver.config.provider import CaptchaDoor, CaptchaSection
from regserver.config.setting import (
    DirectorySection,
    LimitsSection,
    LoginSection,
    PasswordSection,
    RoomsSection,
    SignupDoors,
    SignupSection,
    StoreSection,
)
from regserver.config.webhook import WebhookSection
from regserver.domain.instant import Duration
from regserver.domain.outcome import (
    BadContentType,
    ForeignOrigin,
    InternalError,
    ServerBusy,
    StoreUnavailable,
    TooManyRequests,
)
from regserver.domain.secret import hash_secret
from regserver.domain.session import RECENT_SIGN_IN
from regserver.endpoint import MAX_BODY_BYTES, Response
from regserver.metric import Metrics
from regserver.ports.captcha import CaptchaAnswer
from regserver.ports.password_hasher import HasherBusy
from regserver.ports.store import StoreFault
from regserver.service import block_service
from regserver.service.account_recovery import MOST_WISHES, RecoveryWish
from regserver.service.health import Health
from regserver.service.identity_service import SignedIn
from regserver.service.sign_up_gate import SignUpGate
from regserver.web.directory.endpoint import DirectoryApi
from regserver.web.http.contract import contract_of
from regserver.web.http.cors import SAFE_METHODS
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import LanguageWish
from regserver.web.http.rate_limit import LIMITS, RateLimits
from regserver.web.http.route import Route
from regserver.web.operations.endpoint import OperationsApi
from regserver.web.operations.sighting import Sightings
from regserver.web.sign_in.address_endpoint import AddressApi
from regserver.web.sign_in.code_endpoint import CodeApi
from regserver.web.sign_in.passkey_endpoint import PasskeyApi
from regserver.web.sign_in.password_endpoint import PasswordApi
from regserver.web.sign_in.recovery_endpoint import RecoveryApi
from tests.altcha import solve
from tests.change import open_password_change
from tests.directory import BASE, World, world
from tests.gate import CLOSED, INVITE
from tests.guess import open_guard
from tests.passkey import open_passkeys
from tests.recovery import add_totp, open_account_recovery, recovery_link
from tests.rooms import open_rooms
from tests.sign_in_code import open_desk
from tests.steps import phone
from tests.web.described import Described
from tests.web.http_client import open_client, open_routes
from tests.web.operator_provocation import TABLE as OPERATOR_TABLE
from tests.web.operator_provocation import WITHOUT, Office
from tests.web.provocation import (
    KEY,
    ON_A_NAME,
    PASSWORD,
    PUBLISH_KEY,
    READ_KEY,
    ROSTER,
    VALID,
    Asked,
    Stage,
    enrolled,
    provocation,
)

PEOPLE = "".join(
    f'[[user]]\nusername = "{name}"\npassword = "right"\nfirst_name = "A"\nlast_name = "B"\nsteps = ["One"]\n'
    for name in ROSTER
)
Key = tuple[str, str]
DEMANDING: tuple[CaptchaDoor, ...] = ("rooms", "directory", "recover", "code")
SIGHTINGS = Sightings(ForwardedReader((), ""))
PUZZLE = Asked(method="GET", path="/captcha/challenge")


class Seen:
    """What was called so far: (operation, name)."""

    def __init__(self, routes: list[Route]) -> None:
        self.described = Described(routes)
        self.routes = {f"{route.method} {route.pattern}": route for route in routes if route.described}
        self.names: set[Key] = set()

    async def ask(self, stage: Stage, operation: str, name: str, asked: Asked) -> None:
        """Sends it and checks that the answer is that one."""
        response = await stage.ask(asked)
        self.take(operation, response, name)

    def take(self, operation: str, response: Response, name: str) -> None:
        """Health that a response is the named one, as the document has it."""
        route = self.routes[operation]
        found = self.described.check(route.method, route.pattern, response)
        assert found == name or (name, found) in SAME, (operation, name, response)
        self.names.add((operation, name))

    @property
    def missing(self) -> set[Key]:
        """What the document names and nobody has called."""
        named = {
            (operation, name)
            for operation, route in self.routes.items()
            for _, name in self.described.names(route.method, route.pattern)
        }
        return named - self.names


SAME = {
    ("EventStreamHead", "EventStream"),
    ("EventStreamHead", "RoomEventStream"),
    ("RoomEventStream", "EventStream"),
    ("StoreUnavailable", "INTERNAL_ERROR"),
}
"""Answers that nothing on the wire tells apart."""


@asynccontextmanager
async def opened(folder: Path, people: str = PEOPLE, **sections: Any) -> AsyncIterator[tuple[App, Stage]]:
    """An app with cheap passwords and no limits. people: the roster."""
    (folder / "roster.toml").write_text(people)
    chosen: dict[str, Any] = {
        "store": StoreSection(url=Secret(f"sqlite:{folder / 'x.db'}")),
        "password": PasswordSection(time_cost=1, memory=Size(1 << 20)),
        "limits": LimitsSection(enabled=False),
        "live": LiveSection(file=LiveFile(path=str(folder / "roster.toml"))),
        "rooms": RoomsSection(max_members=3),
        "directory": DirectorySection(trusted_key=Secret(KEY)),
    }
    settings = Settings(**{**chosen, **sections})
    async with open_app(Loaded(settings, None)) as app, open_client(quart_app(app)) as client:
        with closing(sqlite3.connect(folder / "x.db")) as connection, connection:
            rows = [("p", "publish", hash_secret(PUBLISH_KEY)), ("r", "read", hash_secret(READ_KEY))]
            insert = "INSERT OR IGNORE INTO operator_key (name, role, hash, created_at) VALUES (?, ?, ?, 0)"
            connection.executemany(insert, rows)
        yield app, Stage(client)


async def test_every_answer_that_the_document_names_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_service, "MAX_BLOCKS", 2)
    rooms = RoomsSection(max_members=3, consent="ask", daily_bytes=Size(32 * 1024))
    captcha = CaptchaSection(kind="altcha", doors=())
    async with opened(tmp_path, rooms=rooms, captcha=captcha) as (app, stage):
        seen = Seen(list(app.core.router.routes.values()))
        for operation in seen.routes:
            route = seen.routes[operation]
            for _, name in seen.described.names(route.method, route.pattern):
                if (provoke := provocation(operation, name)) is not None:
                    await seen.ask(stage, operation, name, await provoke(stage))
    await call_what_needs_settings(seen, tmp_path)
    await call_directory(seen, tmp_path)
    await call_waiting(seen, tmp_path / "waiting")
    await call_uninvited(seen, tmp_path / "uninvited")
    await call_addresses(seen, tmp_path / "addresses")
    await call_recovery(seen, tmp_path / "recovery")
    await call_codes(seen, tmp_path / "codes")
    await call_changes(seen, tmp_path / "changes")
    await call_operator(seen, tmp_path / "operator")
    await call_faults(seen)
    assert seen.missing == set()


async def call_what_needs_settings(seen: Seen, folder: Path) -> None:
    """A closed door, a source that is down, a part that fails."""
    closed, down = folder / "closed", folder / "down"
    for each in (closed, down):
        each.mkdir()
    async with opened(closed, login=LoginSection(open_registration=False)) as (_, stage):
        await seen.ask(stage, "POST /login/register", "RegistrationClosed", stage.sign_up())
    await call_captcha(seen, folder / "captcha")
    await call_names_of_the_source(seen, folder / "names")
    await call_unverified(seen, folder / "unverified")
    await call_streams(seen, folder / "streams")
    live = LiveSection(source="http", http=LiveHttp(url="http://127.0.0.1:1", timeout=Duration(500)))
    async with opened(down, live=live) as (_, stage):
        for path in ("/login", "/user/login", "/login/restore"):
            body = {"username": ROSTER[0], "password": "right"}
            asked = Asked(method="POST", path=path, body=body)
            await seen.ask(stage, f"POST {path}", "SourceUnavailable", asked)

    login = LoginSection(deletion_grace=Duration(1))
    (folder / "late").mkdir()
    async with opened(folder / "late", login=login) as (_, stage):
        person = await stage.person()
        await stage.delete(person)
        body = {"username": person.name, "password": PASSWORD}
        late = Asked(method="POST", path="/login/restore", body=body)
        await seen.ask(stage, "POST /login/restore", "UserIsDeleted", late)

    async def fails() -> str:
        return "disk full"

    ready = Asked(method="GET", path="/health/ready")
    for name, health in (
        ("NotReady", Health(needed={"store": fails})),
        ("Degraded", Health(useful={"mail": fails})),
    ):
        async with open_routes(operations(health)) as client:
            await seen.ask(Stage(client), "GET /health/ready", name, ready)
    strangers = OperationsApi(Metrics(), Health(), lambda _: False, SIGHTINGS, "1").routes()
    async with open_routes(strangers) as client:
        asked = Asked(method="GET", path="/metrics")
        await seen.ask(Stage(client), "GET /metrics", "OperatorsOnly", asked)


async def call_streams(seen: Seen, folder: Path) -> None:
    """A stream that ends with its token, and a second one of an account that may have one."""
    folder.mkdir()
    rooms, login = RoomsSection(max_sockets=1), LoginSection(token_ttl=Duration(2000))
    async with opened(folder, rooms=rooms, login=login) as (_, stage), trio.open_nursery() as nursery:
        asked = await VALID["GET /room/events"][1](stage, await stage.person())
        nursery.start_soon(seen.ask, stage, "GET /room/events", "RoomEventStream", asked)
        await trio.sleep(0.5)
        await seen.ask(stage, "GET /room/events", "TooManySockets", asked)


async def call_unverified(seen: Seen, folder: Path) -> None:
    """Every route of the rooms, for somebody who has not verified an address that has to be."""
    folder.mkdir()
    rooms = RoomsSection(max_members=3, consent="ask")
    gated = [
        operation
        for operation, route in seen.routes.items()
        if (403, "EmailNotVerified") in seen.described.names(route.method, route.pattern)
    ]
    # Prepared while it is only asked for.
    async with opened(folder, rooms=rooms) as (_, stage):
        prepared = [
            (operation, await VALID[operation][1](stage, await stage.person())) for operation in gated
        ]
    assert len(prepared) > 10
    async with opened(folder, rooms=rooms, login=LoginSection(verify_email="require")) as (_, stage):
        for operation, asked in prepared:
            await seen.ask(stage, operation, "EmailNotVerified", asked)


def begin_to_wait(file: Path) -> None:
    """Every account of the store waits for its approval."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE account SET waits_for = 'approval'")


async def call_waiting(seen: Seen, folder: Path) -> None:
    """Every route that asks who somebody is, for somebody whose account waits."""
    folder.mkdir()
    gated = [
        operation
        for operation, route in seen.routes.items()
        if (403, "NotApproved") in seen.described.names(route.method, route.pattern)
    ]
    others = {"POST /login/totp/confirm": enrolled}
    rooms = RoomsSection(max_members=3, consent="ask")
    async with opened(folder, rooms=rooms) as (_, stage):
        prepared = []
        for operation in gated:
            person = await stage.person()
            method, _, path = operation.partition(" ")
            body = {"username": person.name, "password": PASSWORD}
            asked = Asked(method=method, path=path, body=body)
            if (valid := others.get(operation, VALID.get(operation, ("", None))[1])) is not None:
                asked = await valid(stage, person)
            elif operation in {"POST /login/recover/finish", "POST /login/code/verify"}:
                continue
            prepared.append((operation, asked))
    assert len(prepared) > 30
    begin_to_wait(folder / "x.db")
    async with opened(folder, rooms=rooms) as (_, stage):
        for operation, asked in prepared:
            await seen.ask(stage, operation, "NotApproved", asked)


async def call_uninvited(seen: Seen, folder: Path) -> None:
    """Doors that ask for an invitation, and a confirmation after they have begun to."""
    folder.mkdir()
    doors = SignupDoors(live="invite")
    async with opened(folder, signup=SignupSection(mode="invite", doors=doors)) as (_, stage):
        await seen.ask(stage, "POST /login/register", "InvitationRequired", stage.sign_up())
        for path in ("/login", "/user/login"):
            body = {"username": stage.registrable(), "password": "right"}
            asked = Asked(method="POST", path=path, body=body)
            await seen.ask(stage, f"POST {path}", "InvitationRequired", asked)
        body = {"userName": "Heidi", "password": "sixsix", "email": "heidi@example.org"}
        init = Asked(method="POST", path="/init", body=body)
        await seen.ask(stage, "POST /init", "INVITATION_REQUIRED", init)


async def call_addresses(seen: Seen, folder: Path) -> None:
    """Links that were mailed, and are good."""
    folder.mkdir()
    async with open_rooms(folder) as rooms:
        signed_in = await rooms.sign_up("ann", "ann@example.org", PASSWORD)
        assert isinstance(signed_in, SignedIn)
        (mail,) = await rooms.mails()
        token = mail.text.partition("#")[2].split()[0]
        async with open_routes(
            AddressApi(rooms.addresses, rooms.address_change, ForwardedReader((), "")).routes()
        ) as client:
            verify = Asked(method="POST", path="/login/email/verify", body={"token": token})
            await seen.ask(Stage(client), "POST /login/email/verify", "EmailVerified", verify)
            body = {"password": PASSWORD, "email": "new@example.org"}
            change = Asked(method="POST", path="/login/email", body=body, by=signed_in.token)
            await seen.ask(Stage(client), "POST /login/email", "MailAccepted", change)
            for path, name in (("verify", "EmailVerified"), ("undo", "AddressRestored")):
                token = (await rooms.mails())[-1].text.partition("#")[2].split()[0]
                used = Asked(method="POST", path=f"/login/email/{path}", body={"token": token})
                await seen.ask(Stage(client), f"POST /login/email/{path}", name, used)
            person = await rooms.person("ben")
            rooms.clock.advance(RECENT_SIGN_IN)
            await seen.ask(
                Stage(client), "POST /login/email", "RecentSignInRequired", change.but(by=person.secret)
            )


async def call_recovery(seen: Seen, folder: Path) -> None:
    """Links that are good, of somebody with a second factor and of somebody without; and more requests than may wait."""
    folder.mkdir()
    async with open_rooms(folder) as rooms:
        recovery = open_account_recovery(rooms)
        async with open_routes(RecoveryApi(recovery, ForwardedReader((), "")).routes()) as client:
            outcomes = {"ann": "SessionOpened", "ben": "SecondFactorRequired", "cid": "NotApproved"}
            for name, answer in outcomes.items():
                person = await rooms.person(name)
                if name == "cid":
                    begin_to_wait(folder / "rooms.db")
                if name == "ben":
                    await add_totp(rooms, person.id)
                body = {"token": await recovery_link(rooms, person.id), "password": "another long password"}
                asked = Asked(method="POST", path="/login/recover/finish", body=body)
                await seen.ask(Stage(client), "POST /login/recover/finish", answer, asked)
            for _ in range(MOST_WISHES):
                await recovery.ask(RecoveryWish("nobody", "en", ""), CaptchaAnswer())
            asked = Asked(method="POST", path="/login/recover", body={"username": "nobody"})
            await seen.ask(Stage(client), "POST /login/recover", "TooManyRequests", asked)


async def call_codes(seen: Seen, folder: Path) -> None:
    """Codes that are right, of somebody without a second factor, with one, and of somebody who waits."""
    folder.mkdir()
    async with open_desk(folder) as desk, open_routes(CodeApi(desk.service).routes()) as client:
        number = phone("+380501112233")
        person = await desk.add("ann", number)
        for name in ("SessionOpened", "SecondFactorRequired", "NotApproved"):
            if name == "SecondFactorRequired":
                await add_totp(desk, person)
            if name == "NotApproved":
                number = phone("+380501112234")
                await desk.add("bob", number)
                (file,) = folder.glob("*.db")
                begin_to_wait(file)
            body = {"phone": number.value, "code": await desk.code(number)}
            asked = Asked(method="POST", path="/login/code/verify", body=body)
            await seen.ask(Stage(client), "POST /login/code/verify", name, asked)


async def call_changes(seen: Seen, folder: Path) -> None:
    """By somebody without a password, whose sign-in was long ago."""
    folder.mkdir()
    async with open_rooms(folder) as rooms:
        person = await rooms.person("ann")
        rooms.clock.advance(RECENT_SIGN_IN)
        async with open_routes(PasswordApi(open_password_change(rooms)).routes()) as client:
            body = {"newPassword": "another long password"}
            asked = Asked(method="POST", path="/login/password", body=body, by=person.secret)
            await seen.ask(Stage(client), "POST /login/password", "RecentSignInRequired", asked)
        service = open_passkeys(rooms.store, rooms.clock, rooms.identity, rooms.broker)
        async with open_routes(PasskeyApi(service, ForwardedReader((), "")).routes()) as client:
            asked = Asked(method="POST", path="/login/passkey/options", by=person.secret, headers=ON_A_NAME)
            await seen.ask(Stage(client), "POST /login/passkey/options", "RecentSignInRequired", asked)
            signed_in = await rooms.sign_up("bea", "bea@example.org", PASSWORD)
            assert isinstance(signed_in, SignedIn)
            rooms.clock.advance(RECENT_SIGN_IN)
            asked = asked.but(by=signed_in.token, body={"password": "wrong"})
            await seen.ask(Stage(client), "POST /login/passkey/options", "BadCredentials", asked)


def operations(health: Health) -> Sequence[Route]:
    """Health and metrics, as the operator sees them."""
    return OperationsApi(Metrics(), health, lambda _: True, SIGHTINGS, "1").routes()


async def call_captcha(seen: Seen, folder: Path) -> None:
    """Doors that demand the built-in one. The document names its route where it is used only."""
    folder.mkdir()
    async with opened(folder, captcha=CaptchaSection(kind="altcha", doors=DEMANDING, work=1)) as (_, stage):
        await seen.ask(stage, "POST /login/register", "BadCaptcha", stage.sign_up())
        recover = Asked(method="POST", path="/login/recover", body={"username": "nobody"})
        await seen.ask(stage, "POST /login/recover", "BadCaptcha", recover)
        code = Asked(method="POST", path="/login/code", body={"email": "nobody@example.org"})
        await seen.ask(stage, "POST /login/code", "BadCaptcha", code)
        fields = {"userName": "Bobby", "password": "sixsix", "email": "bobby@example.org"}
        init = Asked(method="POST", path="/init", body=fields)
        await seen.ask(stage, "POST /init", "INVALID_CAPTCHA", init)
        puzzle = await stage.ask_json(PUZZLE)
        await seen.ask(
            stage, "POST /init", "SignUpBegun", init.but(body={**fields, "captcha": solve(puzzle)})
        )


async def call_names_of_the_source(seen: Seen, folder: Path) -> None:
    """An account has the name of somebody whom the roster lists later; a door that takes nobody new; too many guesses."""
    folder.mkdir()
    logins = ("/login", "/user/login")
    wanted = Asked(method="POST", path="/login", body={"username": ROSTER[0], "password": "right"})
    async with opened(folder, "") as (_, stage):
        asked = stage.sign_up()
        await stage.ask_json(asked.but(body={**asked.body, "username": ROSTER[0]}))
    async with opened(folder) as (_, stage):
        for path in logins:
            await seen.ask(stage, f"POST {path}", "UsernameTaken", wanted.but(path=path))
    closed = SignupSection(doors=SignupDoors(live="closed"))
    async with opened(folder, signup=closed) as (_, stage):
        for path in logins:
            asked = wanted.but(path=path, body={"username": ROSTER[1], "password": "right"})
            await seen.ask(stage, f"POST {path}", "RegistrationClosed", asked)


# --- the directory
async def call_directory(seen: Seen, folder: Path) -> None:
    """Its challenges come by mail, so it is asked where the outbox can be read."""
    async with world(folder) as here:
        api = DirectoryApi(
            here.directory,
            ForwardedReader((), BASE),
            trusted_key=KEY,
            take_mail=lambda client: None,
            guard=open_guard(here.store, here.clock),
        )
        async with open_routes(api.routes(), BASE) as client:
            stage = Stage(client)
            await call_names(seen, stage, here)
            await call_init(seen, stage)
            await call_confirm(seen, stage, here)


async def call_names(seen: Seen, stage: Stage, here: World) -> None:
    await here.directory.confirm(await here.begin("Alice"))
    for operation, found in (
        ("GET /{name}/check", "Existence"),
        ("GET /{name}/server", "Residence"),
        ("POST /{name}/server", "Residence"),
    ):
        method, _, pattern = operation.partition(" ")
        at = Asked(method=method, path=pattern.replace("{name}", "alice"))
        await seen.ask(stage, operation, found, at)
        await seen.ask(stage, operation, "INVALID_USER_NAME", at.but(path=pattern.replace("{name}", "al")))
        if found == "Residence":
            nobody = at.but(path=pattern.replace("{name}", "nobody"))
            await seen.ask(stage, operation, "UNKOWN_USER_NAME", nobody)


async def call_init(seen: Seen, stage: Stage) -> None:
    fields = {"userName": "Bobby", "password": "sixsix", "email": "bobby@example.org"}
    init = Asked(method="POST", path="/init", body=fields)
    trusted = {**fields, "userName": "Carol", "email": "carol@example.org"}
    for name, asked in (
        ("SignUpBegun", init),
        ("Residence", init.but(body=trusted, by=KEY)),
        ("INVALID_TRUSTED_KEY", init.but(by="another")),
        ("INVALID_DATA", init.but(body={})),
        ("INVALID_JSON_REQUEST", init.but(body=b"{")),
        ("BAD_CONTENT_TYPE", init.but(headers={"content-type": "text/plain"})),
    ):
        await seen.ask(stage, "POST /init", name, asked)


async def call_confirm(seen: Seen, stage: Stage, here: World) -> None:
    for method in ("GET", "POST"):
        operation = f"{method} /{{challenge}}/confirm"

        async def ask(name: str, challenge: str, method: str = method, operation: str = operation) -> None:
            await seen.ask(stage, operation, name, Asked(method=method, path=f"/{challenge}/confirm"))

        person = f"dave{method.lower()}"
        good = await here.begin(person)
        await ask("Residence", good)
        await ask("ALREADY_CONFIRMED", good)
        late = await here.begin(f"{person}2", "other@example.org")
        await here.add_elsewhere(f"{person}2")
        await ask("ALREADY_CONFIRMED", late)
        await ask("INVALID_CHALLENGE", "x")
        await ask("NO_PENDING_CREATION", "x" * 24)
        taken = await here.begin(f"{person}3", f"{person}3@example.org")
        await here.add_elsewhere(f"{person}4", f"{person}3@example.org")
        await ask("INVALID_DATA", taken)
    pending = await here.begin("grace")
    here.directory._parts = msgspec.structs.replace(here.parts, gate=SignUpGate(CLOSED))
    for method in ("GET", "POST"):
        asked = Asked(method=method, path=f"/{pending}/confirm")
        await seen.ask(stage, f"{method} /{{challenge}}/confirm", "REGISTRATION_CLOSED", asked)
    body = {"userName": "Heidi", "password": "sixsix", "email": "heidi@example.org"}
    init = Asked(method="POST", path="/init", body=body)
    await seen.ask(stage, "POST /init", "REGISTRATION_CLOSED", init)
    here.directory._parts = msgspec.structs.replace(here.parts, gate=SignUpGate(INVITE))
    for method in ("GET", "POST"):
        asked = Asked(method=method, path=f"/{pending}/confirm")
        await seen.ask(stage, f"{method} /{{challenge}}/confirm", "INVITATION_REQUIRED", asked)
    here.directory._parts = here.parts
    look = "HEAD /{challenge}/confirm"
    pending, gone = await here.begin("erica"), await here.begin("frank")
    await here.directory.confirm(gone)
    for name, challenge in (
        ("SignUpPending", pending),
        ("ALREADY_CONFIRMED", gone),
        ("NO_PENDING_CREATION", "x" * 24),
    ):
        await seen.ask(stage, look, name, Asked(method="HEAD", path=f"/{challenge}/confirm"))


# --- what the dispatcher refuses, by faults that are put in
async def call_operator(seen: Seen, folder: Path) -> None:
    """The routes below /admin, with the keys that they need."""
    folder.mkdir()
    async with opened(folder, webhook=WebhookSection(allow_private=True)) as (app, stage):
        office = Office(stage, folder / "x.db", app)
        for operation, provocations in OPERATOR_TABLE.items():
            for name, make in provocations.items():
                await seen.ask(stage, operation, name, await make(office))
            right = next(iter(provocations.values()))
            for name, change in WITHOUT.items():
                await seen.ask(stage, operation, name, change(await right(office)))


async def call_faults(seen: Seen) -> None:
    """At every operation: too long a body, too many requests, a bug, and a store that fails."""
    one = RateLimits(lambda: 0.0, enabled=True, overrides=dict.fromkeys(LIMITS, "1/1h"))

    def bug(_: Any) -> Any:
        raise LookupError("a bug")

    def lost(_: Any) -> Any:
        raise StoreFault("disk full")

    def crowded(_: Any) -> Any:
        raise HasherBusy

    for operation, route in seen.routes.items():
        wanted = {name for _, name in seen.described.names(route.method, route.pattern)}

        def named(refusal: Any, route: Route = route) -> str:
            body = msgspec.to_builtins(route.style.body(refusal))
            return str(body.get(route.style.name_field, type(refusal).__name__))

        async with faulty(route, bug) as ask:
            seen.take(operation, await ask(b""), named(InternalError()))
            long = await ask(b" " * (MAX_BODY_BYTES + 1))
            seen.take(
                operation, long, next(name for name in wanted if name in {"BodyTooLarge", "BODY_TOO_LARGE"})
            )
            seen.take(operation, await ask(b"x", content_encoding="gzip"), named(BadContentType()))
            if route.method not in SAFE_METHODS:
                foreign = await ask(b"", sec_fetch_site="cross-site")
                seen.take(operation, foreign, named(ForeignOrigin()))
        if wanted & {"StoreUnavailable", "INTERNAL_ERROR"}:
            async with faulty(route, lost) as ask:
                seen.take(operation, await ask(b""), named(StoreUnavailable()))
        if route.hashes:
            async with faulty(route, crowded) as ask:
                seen.take(operation, await ask(b""), named(ServerBusy(2)))
        async with faulty(route, bug, one) as ask:
            await ask(b"")
            seen.take(operation, await ask(b""), named(TooManyRequests(1)))


@asynccontextmanager
async def faulty(
    route: Route, endpoint: Callable[[Any], Any], limits: RateLimits | None = None
) -> AsyncIterator[Callable[..., Any]]:
    """Asks a route whose endpoint is another one."""
    broken = msgspec.structs.replace(route, endpoint=endpoint)
    path = route.pattern.replace("{", "").replace("}", "")
    async with open_routes([broken], "", limits) as client:

        def ask(body: bytes, **fields: str) -> Any:
            headers = {name.replace("_", "-"): value for name, value in fields.items()}
            return client.ask(route.method, path, body, {"content-type": "application/json", **headers})

        yield ask


def test_an_answer_that_is_not_named_is_found() -> None:
    described = Described(operations(Health()))
    with pytest.raises(AssertionError):
        described.check("GET", "/health/alive", Response(status=418))


async def test_only_pages_and_their_parts_are_not_described(tmp_path: Path) -> None:
    async with opened(tmp_path, signup=SignupSection(mode="approve")) as (app, _):
        routes = app.core.router.routes.values()
        hidden = {f"{route.method} {route.pattern}" for route in routes if not route.described}
        untold = {
            route.name for route in routes if route.described and not contract_of(route.endpoint).summary
        }
    assert untold == set()
    operator = {route for route in hidden if route.partition(" ")[2].startswith("/operator")}
    assert "POST /operator/do/{act}" in operator
    assert hidden - operator == {
        "GET /",
        "GET /admin",
        "GET /static/{version}/{file}",
        "GET /push.worker.js",
        "GET /docs",
        "GET /docs/static/{version}/{file}",
        "GET /llms.txt",
        "GET /sdk.js",
        "GET /sdk.d.ts",
        "GET /session",
        "POST /session",
        "DELETE /session",
        "GET /plain",
        "POST /plain/sign-in",
        "POST /plain/factor",
        "POST /plain/restore",
        "GET /plain/registration",
        "POST /plain/recover",
        "POST /plain/sign-out",
        "GET /plain/static/{file}",
        "GET /confirm",
        "POST /confirm",
        "POST /confirm/standing",
        "GET /confirm/static/{file}",
        "GET /verify",
        "POST /verify",
        "POST /verify/standing",
        "GET /verify/static/{file}",
        "GET /undo",
        "POST /undo",
        "POST /undo/standing",
        "GET /undo/static/{file}",
        "GET /recover",
        "POST /recover",
        "POST /recover/standing",
        "GET /recover/static/{file}",
        "GET /approve",
        "POST /approve",
        "POST /approve/standing",
        "GET /approve/static/{file}",
        "GET /.well-known/security.txt",
        "GET /.well-known/change-password",
    }


async def test_routes_whose_texts_have_a_language_tell_how_to_choose_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, _):
        routes = app.core.router.routes.values()
        spoken = {
            r.pattern for r in routes if r.described and LanguageWish in contract_of(r.endpoint).parameters
        }
    assert spoken == {"/login", "/user/login", "/rpc", "/", "/room/push"}
