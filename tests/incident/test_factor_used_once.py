"""Secrets of recovery, of second factors and of passkeys work once, however many use them at the same moment; and with one field wrong, not at all.

As in `test_used_once`, of which this is the second half.
"""

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.authenticator import Authenticator
from tests.incident.second_factor import guarded, run_sql
from tests.incident.test_used_once import PARALLEL, crowd, successes
from tests.system.server import open_server, run_command, sign_up

TICKETS = 20
"""Of one account at once."""
SITE = "https://example.org"
SETTINGS = (f"server.public_url={SITE}", "live.source=none")
REFUSED = {401, 404, 429, 503}
"""503: too many hashes wait for a turn."""
NEXT = "a long password, the next"


def using(ask: Callable[[], Awaitable[httpx.Response]], status: int = 200) -> Callable[[], Awaitable[bool]]:
    async def use() -> bool:
        answer = await ask()
        assert answer.status_code in REFUSED | {status, 400}, answer.text
        return answer.status_code == status

    return use


async def recovery_link(folder: Path, name: str) -> str:
    where = ("--set", f"store.url=sqlite:{folder / 'test.db'}")
    done = await run_command("user", "reset-link", name, *where, folder=folder)
    return done.stdout.decode().split()[0].partition("#")[2]


async def test_a_recovery_link(tmp_path: Path) -> None:
    async with open_server(tmp_path, SETTINGS) as server, crowd(server) as client:
        await sign_up(client, "annabella")
        link = await recovery_link(tmp_path, "annabella")
        numbers = itertools.count()
        set_by: list[str] = []

        async def finish() -> bool:
            password = f"{NEXT} {next(numbers)}"
            answer = await client.post("/login/recover/finish", json={"token": link, "password": password})
            assert answer.status_code in REFUSED | {200}, answer.text
            set_by.extend([password] if answer.status_code == 200 else [])
            return answer.status_code == 200

        assert await successes(finish) == 1
        for password, status in ((set_by[0], 200), ("annabella's long password", 401)):
            body = {"username": "annabella", "password": password}
            assert (await client.post("/login", json=body)).status_code == status


async def test_a_code_of_the_app_and_a_recovery_code(tmp_path: Path) -> None:
    """Each by as many sign-ins as one account can have under way."""
    async with open_server(tmp_path, SETTINGS) as server, crowd(server) as client:
        ann = await guarded(client, "annabella")
        for code in (ann.code(), ann.codes[0]):
            tickets = itertools.cycle([await ann.ticket() for _ in range(TICKETS)])
            assert await successes(using(lambda: ann.prove(next(tickets), code))) == 1  # noqa: B023
            run_sql(tmp_path, "DELETE FROM guess")
        assert await ann.left() == 9


async def test_a_ticket_that_asks_for_a_factor(tmp_path: Path) -> None:
    """With ten right codes: one session, and one code used up."""
    async with open_server(tmp_path, SETTINGS) as server, crowd(server) as client:
        ann = await guarded(client, "annabella")
        ticket, codes = await ann.ticket(), itertools.cycle(ann.codes)
        before = len((await ann.person.get("/login/sessions"))["sessions"])
        assert await successes(using(lambda: ann.prove(ticket, next(codes)))) == 1
        assert await ann.left() == 9
        assert len((await ann.person.get("/login/sessions"))["sessions"]) == before + 1


async def test_a_first_code_and_the_challenges_of_passkeys(tmp_path: Path) -> None:
    async with open_server(tmp_path, SETTINGS) as server, crowd(server) as client:
        ann = await guarded(client, "annabella")
        own = {"authorization": f"Bearer {ann.person.token}"}
        options = await ann.person.post("/login/passkey/options")
        keys = [Authenticator(SITE) for _ in range(PARALLEL)]
        made = iter([{**key.make(options), "name": "Key"} for key in keys])

        async def add() -> httpx.Response:
            return await client.post("/login/passkey", json=next(made), headers=own)

        assert await successes(using(add, 201)) == 1
        listed = await ann.person.get("/login/factors")
        assert len(listed["passkeys"]) == 1

        (key,) = [key for key in keys if await signs_in(client, key)]
        challenge = (await client.post("/login/passkey/challenge")).json()
        answers = itertools.cycle(
            [key.answer(challenge) for _ in range(2)]
        )  # the same one, and another to it
        assert await successes(using(lambda: client.post("/login/passkey/verify", json=next(answers)))) == 1


async def signs_in(client: httpx.AsyncClient, key: Authenticator) -> bool:
    challenge = (await client.post("/login/passkey/challenge")).json()
    return (await client.post("/login/passkey/verify", json=key.answer(challenge))).status_code == 200


# --- one wrong field
async def test_a_recovery_link_with_one_field_wrong(tmp_path: Path) -> None:
    async with open_server(tmp_path, SETTINGS) as server, server.client() as client:
        await sign_up(client, "annabella")
        link = await recovery_link(tmp_path, "annabella")
        right = {"token": link, "password": NEXT}
        spoilt = (
            ("", "", {**right, "token": link[:-1] + "~"}, 404),
            ("", "", {**right, "token": link[:-1]}, 404),
            ("", "", {**right, "password": "short"}, 400),
            (
                "UPDATE account_link SET expires_at = 1",
                "UPDATE account_link SET expires_at = 4102444800000",
                right,
                404,
            ),
            (
                "UPDATE account_link SET purpose = 'undo_email' WHERE purpose = 'recover'",
                "UPDATE account_link SET purpose = 'recover' WHERE purpose = 'undo_email'",
                right,
                404,
            ),
            ("UPDATE account SET deleted_at = 1", "UPDATE account SET deleted_at = NULL", right, 404),
        )
        await spoil(tmp_path, client, "/login/recover/finish", spoilt)
        assert (await client.post("/login/recover/finish", json=right)).status_code == 200


Spoilt = tuple[str, str, dict[str, Any], int]
"""A statement that makes what is stored wrong, one that puts it right again (its times are in 2100), the body, and the status."""


async def spoil(folder: Path, client: httpx.AsyncClient, path: str, spoilt: tuple[Spoilt, ...]) -> None:
    """Each is refused and uses nothing up."""
    for wrong, right, body, status in spoilt:
        if wrong:
            run_sql(folder, wrong)
        answer = await client.post(path, json=body)
        assert answer.status_code == status, (wrong, body, answer.text)
        assert "token" not in answer.json()
        if right:
            run_sql(folder, right)
        run_sql(folder, "DELETE FROM guess")


async def test_a_second_factor_with_one_field_wrong(tmp_path: Path) -> None:
    async with open_server(tmp_path, SETTINGS) as server, server.client() as client:
        ann, ben = await guarded(client, "annabella"), await guarded(client, "benedict")
        ticket, others = await ann.ticket(), await ben.ticket()
        right = {"ticket": ticket, "code": ann.codes[0]}
        spoilt = (
            ("", "", {**right, "ticket": ticket[:-1] + "~"}, 401),
            ("", "", {**right, "ticket": others}, 401),
            ("", "", {**right, "ticket": ann.person.token}, 401),
            ("", "", {**right, "code": ben.codes[0]}, 401),
            ("", "", {**right, "code": ann.codes[0][:-1] + "~"}, 401),
            ("", "", {**right, "code": ann.code(-10)}, 401),
            ("", "", {**right, "code": ann.code(10)}, 401),
            ("", "", {**right, "code": ben.code()}, 401),
            (
                "UPDATE factor_ticket SET expires_at = 1",
                "UPDATE factor_ticket SET expires_at = 4102444800000",
                right,
                401,
            ),
        )
        await spoil(tmp_path, client, "/login/factor", spoilt)
        assert (await client.post("/login/factor", json=right)).status_code == 200
        assert (await ann.left(), await ben.left()) == (9, 10)


WRONG: tuple[tuple[str, object], ...] = (
    ("challenge", "AAAA"),
    ("origin", "https://example.net"),
    ("rp_id", "example.net"),
    ("type", "webauthn.create"),
    ("cross_origin", True),
    ("without", 0x01),
    ("without", 0x04),
    ("count", 0),
    ("signature", b"x" * 70),
    ("credential", b"x" * 32),
    ("handle", b"x" * 32),
)


@pytest.mark.parametrize(("field", "wrong"), WRONG)
async def test_a_passkey_with_one_field_wrong(tmp_path: Path, field: str, wrong: object) -> None:
    async with open_server(tmp_path, SETTINGS) as server, server.client() as client:
        ann = await sign_up(client, "annabella")
        key = Authenticator(SITE)
        made = key.make(await ann.post("/login/passkey/options"))
        assert (await ann.call("POST", "/login/passkey", {**made, "name": "Key"})).status_code == 201
        challenge = (await client.post("/login/passkey/challenge")).json()
        refused = await client.post("/login/passkey/verify", json=key.answer(challenge, **{field: wrong}))
        assert (refused.status_code, refused.json()["error"]) in {(400, "BadPasskey"), (401, "BadPasskey")}
        creating = await ann.post("/login/passkey/options")
        for_making = key.answer({**challenge, "challenge": creating["challenge"]})
        assert (await client.post("/login/passkey/verify", json=for_making)).status_code in {400, 401}
        if field == "count":  # all but the counter was right: the challenge is used up
            challenge = (await client.post("/login/passkey/challenge")).json()
        assert (await client.post("/login/passkey/verify", json=key.answer(challenge))).status_code == 200
