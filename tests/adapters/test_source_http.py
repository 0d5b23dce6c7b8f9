"""The `http` source against a real service: its answers, and a bound on every wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.source import open_source
from regserver.config import ConfigFault, Loaded, Secret, Settings
from regserver.config.live import LiveHttp, LiveSection
from regserver.domain.instant import Duration
from regserver.domain.source_line import DoneLine, MalformedLine, NameLine, SourceLine, StepLine
from regserver.ports.source import Accepted, Rejected, Source, SourceFault, Subject, Unavailable
from tests.peer.people_service import DONE, NAME, Answer, PeopleService, Person, line, steps

HASHER = Argon2Hasher(time_cost=1, memory=1 << 20, parallelism=1, max_memory=1 << 22)


@asynccontextmanager
async def opened(url: str, patience: int = 5000, bearer: str = "") -> AsyncIterator[Source]:
    http = LiveHttp(url=url, timeout=Duration(patience), bearer=Secret(bearer))
    async with open_source(
        Loaded(Settings(live=LiveSection(source="http", http=http)), None), HASHER
    ) as source:
        assert source is not None
        yield source


async def everything(source: Source, subject: str) -> list[SourceLine]:
    async with source.profile(Subject(subject)) as lines:
        return [line async for line in lines]


async def test_what_is_asked(autojump_clock: trio.testing.MockClock) -> None:
    service = PeopleService(ada=Person("right", subject="7"))
    async with service.listen(), opened(service.url + "/", bearer="of ours") as source:
        assert await source.verify("ada", "right") == Accepted(Subject("7"))
        assert await source.verify("ada", "wrong") == Rejected()
        lines = await everything(source, "7")
    assert [type(line) for line in lines] == [StepLine, StepLine, StepLine, NameLine, DoneLine]
    assert [(call.path, call.body) for call in service.calls] == [
        ("/base/verify", {"username": "ada", "password": "right"}),
        ("/base/verify", {"username": "ada", "password": "wrong"}),
        ("/base/profile", {"subject": "7"}),
    ]
    for call in service.calls:
        assert call.headers["authorization"] == "Bearer of ours"
        assert call.headers["content-type"] == "application/json"
        assert call.headers["accept-encoding"] == "identity"


ANSWERS: list[tuple[int, bytes]] = [
    (200, b""),
    (200, b"{}"),
    (200, b"[]"),
    (200, b'{"subject": 7}'),
    (200, b'{"subject": ""}'),
    (200, b'{"subject": "' + b"x" * 2000 + b'"}'),
    (200, b'{"subject": "\xff"}'),
    (200, b" " * 200_000 + b'{"subject": "7"}'),
    (204, b""),
    (302, b'{"subject": "7"}'),
    (400, b"{}"),
    (403, b"{}"),
    (429, b"{}"),
    (500, b'{"subject": "7"}'),
    (503, b"{}"),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS, ids=range(len(ANSWERS)))
async def test_answers_that_are_none(status: int, body: bytes) -> None:
    service = PeopleService()
    service.answer = Answer(status, body)
    async with service.listen(), opened(service.url) as source:
        assert isinstance(await source.verify("ada", "right"), Unavailable)


async def test_a_slow_check(autojump_clock: trio.testing.MockClock) -> None:
    service = PeopleService()
    service.answer = Answer(pause=60.0)
    async with service.listen(), opened(service.url, 30_000) as source:
        assert await source.verify("ada", "right") == Unavailable("verify: no answer in 30 s")


async def test_nobody_listens() -> None:
    async with PeopleService().listen() as service:
        url = service.url
    async with opened(url) as source:
        assert isinstance(await source.verify("ada", "right"), Unavailable)
        with pytest.raises(SourceFault, match="ConnectError"):
            await everything(source, "ada")


async def test_streams_that_break() -> None:
    people: dict[str, Any] = {
        "cut": Person("x", [*steps(2)], cut=True),
        "silent": Person("x", [*steps(1), trio.Event()]),
        "refused": Person("x", [], status=500),
        "endless": Person("x", [b"x" * 100_000] * 50),
        "half": Person("x", [NAME, DONE[:-4]], cut=True),
    }
    service = PeopleService(**people)
    async with service.listen(), opened(service.url, 500) as source:
        for subject, fault in {
            "cut": "RemoteProtocolError",
            "silent": "nothing came",
            "refused": "status 500",
        }.items():
            with pytest.raises(SourceFault, match=fault):
                await everything(source, subject)
        assert [type(line) for line in await everything(source, "endless")] == [MalformedLine]
        with pytest.raises(SourceFault):
            await everything(source, "half")


async def test_leaving_ends_the_stream() -> None:
    never = trio.Event()
    service = PeopleService(ada=Person("x", [line(message="One"), never]))
    async with service.listen(), opened(service.url) as source:
        async with source.profile(Subject("ada")) as lines:
            assert await anext(lines) == StepLine("One")
        with trio.CancelScope() as scope:
            async with source.profile(Subject("ada")) as lines:
                await anext(lines)
                scope.cancel()
                await anext(lines)
        assert scope.cancelled_caught
        assert await source.verify("ada", "x") == Accepted(Subject("ada"))  # the source is as good as before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "people.example.org",
        "ftp://people.example.org",
        "http://",
        "http://people.example.org:x/",
        "http://user:password@people.example.org/",
        "http://people.example.org/?a=b",
    ],
)
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigFault, match=r"live\.http\.url"):
        async with opened(url):
            pass
