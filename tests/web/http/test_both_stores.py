"""All doors on PostgreSQL as on SQLite: every operation that succeeds does, and a NUL in any text is refused alike."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from regserver.config import Secret
from regserver.config.provider import CaptchaSection
from regserver.config.setting import RoomsSection, ServerSection, StoreSection
from tests.peer.postgres import Cluster
from tests.web.http.test_document_truth import Seen, opened
from tests.web.provocation import Stage, provocation

SUCCESS = range(200, 400)


def spoiled(value: Any) -> Iterator[Any]:
    """A body with a NUL at the end of one of its texts, for each text in turn."""
    match value:
        case str():
            yield value + "\0"
        case dict():
            yield from ({**value, key: other} for key in value for other in spoiled(value[key]))
        case list():
            yield from (
                [*value[:at], other, *value[at + 1 :]]
                for at in range(len(value))
                for other in spoiled(value[at])
            )


async def walk(seen: Seen, stage: Stage) -> list[tuple[str, str, int, int]]:
    """Asks for every success; returns what a NUL in each text of those requests was answered with."""
    found: list[tuple[str, str, int, int]] = []
    for operation, route in seen.routes.items():
        for status, name in seen.described.names(route.method, route.pattern):
            if status not in SUCCESS or (provoke := provocation(operation, name)) is None:
                continue
            asked = await provoke(stage)
            await seen.ask(stage, operation, name, asked)
            for number, _ in enumerate(spoiled(asked.body)):
                again = await provoke(stage)
                answer = await stage.ask(again.but(body=list(spoiled(again.body))[number]))
                found.append((operation, name, number, answer.status))
    return found


async def test_every_door(tmp_path: Path, cluster: Cluster, new_database: Callable[[], str]) -> None:
    url = cluster.url(new_database().rpartition("dbname=")[2])
    shared = {"store": StoreSection(url=Secret(url)), "server": ServerSection(key=str(tmp_path / "key"))}
    answers = []
    none: dict[str, Any] = {}
    rooms, captcha = RoomsSection(consent="ask"), CaptchaSection(kind="altcha", doors=())
    for sections in (none, shared):
        async with opened(tmp_path, rooms=rooms, captcha=captcha, **sections) as (app, stage):
            answers.append(await walk(Seen(list(app.core.router.routes.values())), stage))
    # What is behind the end of base64 is looked over or not, as its length is.
    one, other = ([each for each in found if "passkey" not in each[0]] for found in answers)
    assert one == other
    assert len(answers[0]) > 40
    assert {status for *_, status in answers[0]} <= {200, 201, 202, 204, 400, 401}
