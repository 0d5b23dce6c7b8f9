"""Guessing on a running server, over both protocols: what strangers get compared, and that owners get in."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from regserver.app import open_app
from regserver.app.outside import Outside
from regserver.config import Loaded, Secret, Settings, Size
from regserver.config.live import LiveSection
from regserver.config.setting import (
    DirectorySection,
    LimitsSection,
    PasswordSection,
    ServerSection,
    StepsSection,
    StoreSection,
)
from tests.fake import ManualClock

PASSWORD = "a long password of hers"
HOME, CAFE = "198.51.100.7", "198.51.100.8"
NETWORKS = [f"203.0.{number // 100}.{number % 100 + 1}" for number in range(100)]
NETWORKS += [f"2001:db8:{number:x}::5" for number in range(100)]
SPELLINGS = {
    "rosalind": ("rosalind", "ROSALIND", "\uff32\uff4f\uff53\uff41lind", " Rosalind\u200b", "rosalind "),
    "nobody": ("nobody", "NOBODY", "\uff2e\uff4fbody", " Nobody\u200b", "nobody "),
}
DAY_SECONDS = 86_400
KEY = "the right key of the platform"


class Site:
    """The server's address, its clock, and clients of both protocols."""

    def __init__(self, clock: ManualClock, clients: list[httpx.AsyncClient]) -> None:
        self.clock = clock
        self._clients = itertools.cycle(clients)
        self._doors = itertools.cycle(("/login", "/user/login", "/login/"))

    async def login(self, name: str, password: str, network: str) -> httpx.Response:
        """By the next protocol and the next of the door's addresses."""
        body = {"username": name, "password": password}
        return await self.post(next(self._doors), body, network)

    async def post(self, path: str, body: Any, network: str, **fields: str) -> httpx.Response:
        headers = {"x-forwarded-for": network, **fields}
        return await next(self._clients).post(path, json=body, headers=headers)

    async def sign_up(self) -> None:
        body = {"username": "rosalind", "email": "r@example.org", "password": PASSWORD}
        assert (await self.post("/login/register", body, HOME)).status_code == 201


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Site]:
    """A server behind a trusted proxy, without rate limits, whose clock the test moves."""
    clock = ManualClock()
    settings = Settings(
        server=ServerSection(trusted_proxies=("127.0.0.1",)),
        store=StoreSection(url=Secret(f"sqlite:{folder / 'x.db'}")),
        password=PasswordSection(time_cost=1, memory=Size(1 << 20)),
        limits=LimitsSection(enabled=False),
        live=LiveSection(source="none"),
        directory=DirectorySection(trusted_key=Secret(KEY)),
        steps=StepsSection(identity_secure_key=Secret(KEY)),
    )
    async with (
        open_app(Loaded(settings, None), outside=Outside(clock=clock)) as app,
        app.front.open(["127.0.0.1:0"]) as urls,
        httpx.AsyncClient(base_url=urls[0], timeout=60) as old,
        httpx.AsyncClient(base_url=urls[0], timeout=60, http1=False, http2=True) as new,
    ):
        yield Site(clock, [old, new])


async def attack(site: Site, name: str, guesses: int) -> list[tuple[int, str]]:
    """Patient strangers, each from another network: they wait as long as they are told, but for a day."""
    found = []
    spelled = itertools.cycle(SPELLINGS[name])
    for number in range(guesses):
        answer = await site.login(next(spelled), f"guess {number}", NETWORKS[number % len(NETWORKS)])
        wait = answer.headers.get("retry-after", "")
        found.append((answer.status_code, wait))
        assert answer.json() == {"error": "TooManyRequests" if wait else "BadCredentials"}
        if wait and int(wait) < DAY_SECONDS:
            site.clock.advance(int(wait) * 1000)
    return found


async def test_nine_hundred_guesses_from_two_hundred_networks(tmp_path: Path) -> None:
    """At most a hundred passwords are compared; a name that nobody has looks the same; the owner gets in meanwhile."""
    async with running(tmp_path) as site:
        await site.sign_up()
        first = await attack(site, "rosalind", 450)
        assert (await site.login("rosalind", PASSWORD, HOME)).status_code == 200
        second = await attack(site, "rosalind", 450)
        assert (await site.login("Rosalind ", PASSWORD, HOME)).status_code == 200
        answers = first + second
        assert [status for status, _ in answers].count(401) == 100
        assert answers[:6] == [(401, "")] * 5 + [(429, "1")]
        assert answers[-1][0] == 429
        assert int(answers[-1][1]) > DAY_SECONDS - 1000
        # From a network that is not known, a right password is refused with the same bytes as a wrong one.
        right, wrong = [await site.login("rosalind", each, CAFE) for each in (PASSWORD, "wrong")]
        assert (
            (right.status_code, right.content) == (wrong.status_code, wrong.content) == (429, wrong.content)
        )
        assert right.headers["retry-after"] == wrong.headers["retry-after"]
        assert await attack(site, "nobody", 900) == answers
        site.clock.advance(DAY_SECONDS * 1000)
        assert (await site.login("rosalind", PASSWORD, CAFE)).status_code == 200


async def test_guesses_at_once(tmp_path: Path) -> None:
    """Two hundred at the same time, over both protocols: as many are compared as of two hundred in a row."""
    async with running(tmp_path) as site:
        await site.sign_up()
        for name in SPELLINGS:
            statuses: list[int] = []

            async def guess(number: int, name: str = name, statuses: list[int] = statuses) -> None:
                spelled = SPELLINGS[name][number % 5]
                statuses.append((await site.login(spelled, f"guess {number}", NETWORKS[number])).status_code)

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(guess, number)
            assert (statuses.count(401), statuses.count(429)) == (5, 195)


async def test_keys_of_the_operator_are_guessed_no_faster(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        fields = {"userName": "Rosalind", "password": "not a common one", "email": "r@example.org"}
        stranger, platform = NETWORKS[0], HOME
        keys = [await site.post("/init", fields, stranger, authorization=f"Bearer {n}") for n in range(8)]
        assert [each.status_code for each in keys] == [401] * 5 + [429] * 3
        assert (keys[-1].json()["id"], keys[-1].headers["retry-after"]) == ("TOO_MANY_REQUESTS", "1")
        right = await site.post("/init", fields, stranger, authorization=f"Bearer {KEY}")
        assert right.status_code == 429
        made = await site.post("/init", fields, platform, authorization=f"Bearer {KEY}")
        assert made.status_code == 200
        params = {"identity": "oauth-1", "provider": "google"}

        async def identity(key: str, network: str) -> Any:
            call = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "createIdentity",
                "params": {**params, "secureKey": key},
            }
            return (await site.post("/rpc", call, network)).json()

        errors = [(await identity(f"wrong {n}", stranger))["error"] for n in range(7)]
        assert [error["code"] for error in errors] == [1108] * 5 + [429] * 2
        assert errors[-1]["data"]["nextRetry"].endswith("Z")
        assert "result" in await identity(KEY, platform)
