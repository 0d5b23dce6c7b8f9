"""Every secret of three people, tried at every place that takes one, whole or damaged: it works where it belongs, and nowhere else.

Hypothesis chooses what is tried where, in what order and how it is damaged; nothing that is refused uses anything up.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import msgspec
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio_websocket import ConnectionClosed

from tests.authenticator import Authenticator
from tests.crash.account_checker import SETTINGS
from tests.crash.account_state import OLD, AccountFile
from tests.crash.change import SITE, Desk, Subject
from tests.incident.second_factor import run_sql
from tests.system.server import Server, listening, open_server
from tests.system.steps_client import StepsClient, logged_code

NAMES = ("annabella", "benedict", "cassandra")
EXAMPLES = 1500
REUSED = ("session", "proof")
"""Kinds that are good until they end."""
FORGIVEN = (
    "DELETE FROM guess",
    "UPDATE sign_in_code SET own_tries = 5, other_tries = 5",
    "UPDATE ticket SET expires_at = 4102444800000",
    "UPDATE steps_registration SET code_tries = 5, other_tries = 5 WHERE state = 'verify'",
)
"""Tries are counted, and tickets live for half a minute; but each must be refused for what it is, not for how many there were."""


class Secret(msgspec.Struct, frozen=True):
    """kind: which place it is for. owner: the one of the three whose it is."""

    kind: str
    owner: str
    value: str


Use = Callable[[str], Awaitable[bool]]
"""Whether a secret works. What is right there may use it up."""


class Spot(msgspec.Struct, frozen=True):
    """A place where secrets of one kind are good. owner: whose alone; "" where any of them is good."""

    kind: str
    owner: str
    use: Use

    def takes(self, secret: Secret) -> bool:
        return secret.kind == self.kind and self.owner in {"", secret.owner}


class World:
    """Three people, what was given out for each, and the places."""

    def __init__(self, server: Server, client: httpx.AsyncClient, folder: Path) -> None:
        self._server = server
        self._client = client
        self._folder = folder
        self._desk = Desk(client, AccountFile(folder / "test.db"))
        self._steps = StepsClient(client)
        self._emails: dict[str, str] = {}
        self.secrets: list[Secret] = []
        self.spots: list[Spot] = []

    def forgive(self) -> None:
        for statement in FORGIVEN:
            run_sql(self._folder, statement)

    def _give(self, kind: str, owner: str, value: str, use: Use, *, is_own: bool = True) -> None:
        self.secrets.append(Secret(kind, owner, value))
        self.spots.append(Spot(kind, owner if is_own else "", use))

    def _link(self, kind: str, who: Subject, secret: str) -> None:
        self._emails[secret] = who.email
        self._give(kind, who.name, secret, partial(self._follows, f"/login/email/{kind}"), is_own=False)

    async def _status(self, path: str, body: object, token: str = "") -> int:
        return (await self._desk.asking("POST", path, body, token)()).status_code

    async def _posts(self, path: str, field: str, more: dict[str, str], secret: str) -> bool:
        return await self._status(path, {**more, field: secret}) == 200

    async def build(self) -> None:
        for number, name in enumerate(NAMES):
            await self._person(Subject(name))
            await self._guarded(Subject(f"{name}2"))
            await self._newcomer(Subject(f"{name}3"))
            await self._of_steps(name, f"+38050111223{number}", f"+38050111224{number}")
            await self._of_directory(name, f"Directory{number}")

    async def _person(self, who: Subject) -> None:
        desk = self._desk
        await desk.settled(who)
        for kind in ("own", "named"):
            self._give("session", who.name, who.tokens[kind], partial(self._is_session_of, who.name))
        await desk.ask("POST", "/login/email/verify", {"token": await desk.next_address(who)})
        undo = await desk.mailed(who.email, "undo")
        self._link("undo", who, undo)
        await desk.ask("POST", "/login/recover", {"username": who.name})
        recover = await desk.mailed(who.next_email, "recover")
        self._give("recover", who.name, recover, self._recovers, is_own=False)
        await desk.ask("POST", "/login/code", {"email": who.next_email})
        code = await desk.code(who.next_email)
        use = partial(self._posts, "/login/code/verify", "code", {"email": who.next_email})
        self._give("code", who.name, code, use)
        ticket = (await desk.ask("POST", "/login/ticket", token=who.tokens["own"]))["ticket"]
        self._give("ticket", who.name, ticket, self._opens_socket, is_own=False)

    async def _guarded(self, who: Subject) -> None:
        """Somebody with an authenticator app."""
        await self._desk.settled(who)
        codes = await self._desk.with_totp(who)
        tickets = [
            (await self._desk.asking("POST", "/login", who.credentials)()).json()["ticket"] for _ in range(2)
        ]
        by_ticket = partial(self._posts, "/login/factor", "ticket", {"code": codes[0]})
        self._give("factor ticket", who.name, tickets[0], by_ticket)
        by_code = partial(self._posts, "/login/factor", "code", {"ticket": tickets[1]})
        self._give("recovery code", who.name, codes[1], by_code)

    async def _newcomer(self, who: Subject) -> None:
        """With a link that verifies the address, and a passkey whose challenges are tried."""
        await self._desk.signed_up(who)
        link = await self._desk.mailed(who.email, "verify")
        self._link("verify", who, link)
        key, token = Authenticator(SITE), who.tokens["own"]
        made = key.make(await self._desk.ask("POST", "/login/passkey/options", token=token))
        await self._desk.ask("POST", "/login/passkey", {**made, "name": "Key"}, token)
        asked = await self._desk.ask("POST", "/login/passkey/challenge")
        self._give("challenge", who.name, asked["challenge"], partial(self._signs, key, asked), is_own=False)
        options = await self._desk.ask("POST", "/login/passkey/options", token=token)
        use = partial(self._makes, options, token)
        self._give("creation challenge", who.name, options["challenge"], use)

    async def _of_steps(self, owner: str, known: str, waiting: str) -> None:
        for phone in (known, waiting):
            await self._steps.call("firstStep", phone=phone, captcha="", captchaType="web")
        code = await logged_code(self._server, waiting)
        self._give("steps code", owner, code, partial(self._step, "verify", "code", {"phone": waiting}))
        right = {"phone": known, "code": await logged_code(self._server, known)}
        token = (await self._steps.call("verify", **right, wantToken=True))["token"]
        more = {"phone": known, "username": f"{owner}-by-steps"}
        self._give("proof", owner, token, partial(self._step, "setUsername", "token", more))

    async def _of_directory(self, owner: str, name: str) -> None:
        body = {"userName": name, "password": OLD, "email": f"{name.lower()}@example.org"}
        assert await self._status("/init", body) == 200
        secret = await self._desk.mailed(body["email"], "confirm")
        self._give("directory", owner, secret, self._confirms, is_own=False)

    # --- uses
    async def _is_session_of(self, name: str, secret: str) -> bool:
        answer = await self._desk.asking("GET", "/login/info", token=secret)()
        return answer.status_code == 200 and answer.json()["user"]["username"] == name

    async def _follows(self, path: str, secret: str) -> bool:
        """A link is about its own account, whoever has it."""
        answer = await self._desk.asking("POST", path, {"token": secret})()
        if answer.status_code == 200:
            assert answer.json() == {"email": self._emails[secret]}
        return answer.status_code == 200

    async def _recovers(self, secret: str) -> bool:
        return (
            await self._status("/login/recover/finish", {"token": secret, "password": "quite another one"})
            == 200
        )

    async def _opens_socket(self, secret: str) -> bool:
        async with listening(f"{self._server.socket_url}/room/websocket?ticket={secret}&since=") as listener:
            with suppress(ConnectionClosed):
                return (await listener.text()).startswith('{"type":"Resumed"')
        return False

    async def _signs(self, key: Authenticator, asked: dict[str, object], secret: str) -> bool:
        return await self._status("/login/passkey/verify", key.answer({**asked, "challenge": secret})) == 200

    async def _makes(self, options: dict[str, object], token: str, secret: str) -> bool:
        made = Authenticator(SITE).make({**options, "challenge": secret})
        return await self._status("/login/passkey", {**made, "name": "Another"}, token) == 201

    async def _step(self, method: str, field: str, more: dict[str, str], secret: str) -> bool:
        return "result" in await self._steps.reply(method, **{**more, field: secret})

    async def _confirms(self, secret: str) -> bool:
        answer = await self._client.post(f"/{secret}/confirm")
        return answer.status_code == 200


def damaged(value: str, way: int) -> str:
    """Ways to be nearly right; 0 leaves it whole."""
    swapped = "B" if value[-1] == "A" else "A"
    ways = (
        value,
        value[:-1],
        value[:-1] + swapped,
        value + "A",
        value.swapcase(),
        value[5:] or "x",
        value * 2,
    )
    return ways[way]


WAYS = 7


async def test_it_works_where_it_belongs_and_nowhere_else(tmp_path: Path) -> None:
    async with open_server(tmp_path, SETTINGS) as server, server.client() as client:
        world = World(server, client, tmp_path)
        await world.build()
        tries = st.tuples(
            st.sampled_from(world.secrets), st.sampled_from(world.spots), st.integers(0, WAYS - 1)
        )

        @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
        @given(tries)
        def check(tried: tuple[Secret, Spot, int]) -> None:
            secret, spot, way = tried
            value = damaged(secret.value, way)
            if not is_right(world, spot, value):
                world.forgive()
                assert not trio.from_thread.run(spot.use, value), (secret, spot.kind, spot.owner, way)

        await trio.to_thread.run_sync(check)
        await every_one_in_its_place(world)


def is_right(world: World, spot: Spot, value: str) -> bool:
    """Whether it works there, as it is spelled: two people may have the same short code, and recovery codes are typed in any case."""
    spelled = str.lower if spot.kind == "recovery code" else str
    return spelled(value) in {spelled(secret.value) for secret in world.secrets if spot.takes(secret)}


async def every_one_in_its_place(world: World) -> None:
    """Whole and in another's place none has worked; now each does, once, in its own. Those that end others come last."""
    last = ("session", "creation challenge", "recover", "undo")
    order = sorted(world.secrets, key=lambda secret: last.index(secret.kind) if secret.kind in last else -1)
    for secret in order:
        world.forgive()
        (spot, *_) = [spot for spot in world.spots if spot.takes(secret)]
        assert await spot.use(secret.value), secret
        if secret.kind not in REUSED:
            assert not await spot.use(secret.value), secret
