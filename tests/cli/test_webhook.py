"""`regserver webhook`: what it prints, and what it refuses."""

import json

import pytest
import trio
from standardwebhooks.webhooks import Webhook as Verifier

from regserver.adapters.server_key import load_server_key
from regserver.domain.account import AccountId
from regserver.domain.webhook import account_hook
from regserver.store.sqlite import migrate, open_sqlite
from tests.cli.shell import Done, Shell
from tests.fake import EPOCH
from tests.peer.http import Answer, open_http_peer

PRIVATE = ("webhook.allow_private=true",)


@pytest.fixture
def prepared(shell: Shell) -> Shell:
    path = shell.folder / "test.db"
    migrate(path, 0)
    load_server_key(path.with_suffix(".key"))
    return shell


async def run(shell: Shell, *arguments: str) -> Done:
    return await shell.run("webhook", *arguments, settings=PRIVATE)


async def test_one_is_added_listed_tried_and_removed(prepared: Shell) -> None:
    assert await run(prepared, "list") == (0, "no webhooks\n", "")
    async with open_http_peer(lambda asked: Answer(204)) as peer:
        done = await run(
            prepared, "add", f"{peer.url}/x", "--events", "user.created,room.left", "--note", "CRM"
        )
        assert (done.code, done.err) == (0, "")
        secret, said = done.out.splitlines()
        assert secret.startswith("whsec_")
        assert said.startswith("webhook 1 is told what happens from now on")
        done = await run(prepared, "list")
        assert done.out == f"   1  0 waiting     {peer.url}/x  user.created, room.left  CRM\n"
        done = await run(prepared, "test", "1")
        assert done == (0, "webhook 1: answered 204\n", "")
        (asked,) = peer.asked
        assert Verifier(secret).verify(asked.body, asked.headers)["type"] == "webhook.test"
    assert (await run(prepared, "test", "1")).err.startswith("regserver: webhook 1: cannot be reached")
    (value,) = json.loads((await run(prepared, "list", "--json")).out)
    assert (value["number"], value["events"], value["waiting"], value["fault"]) == (
        1,
        ["user.created", "room.left"],
        0,
        None,
    )
    assert "secret" not in value
    assert await run(prepared, "remove", "1") == (0, "webhook 1 is removed\n", "")
    assert await run(prepared, "remove", "1") == (1, "", "regserver: there is no webhook 1\n")
    assert await run(prepared, "test", "1") == (1, "", "regserver: there is no webhook 1\n")


async def test_redirects_are_told(prepared: Shell) -> None:
    async with open_http_peer(lambda asked: Answer(301)) as peer:
        await run(prepared, "add", peer.url)
        done = await run(prepared, "test", "1")
    assert done == (1, "", "regserver: webhook 1: answered 301; redirects are not followed\n")


async def test_replay(prepared: Shell) -> None:
    await run(prepared, "add", "http://127.0.0.1:9")
    async with open_sqlite(prepared.folder / "test.db") as store, trio.open_nursery():
        for number in (1, 2, 3):
            event = account_hook("user.created", AccountId(number), EPOCH)
            await store.write(lambda transaction: transaction.hooks.tell(event))  # noqa: B023
    assert await run(prepared, "replay", "1", "--from", "2") == (
        0,
        "webhook 1: 0 events to be delivered again\n",
        "",
    )
    await run(prepared, "add", "http://127.0.0.1:9")
    done = await run(prepared, "replay", "2", "--from", "2", "--json")
    assert json.loads(done.out) == {"number": 2, "events": 2}
    done = await run(prepared, "replay", "2", "--last", "7d")
    assert done.out == "webhook 2: 0 events to be delivered again\n"
    assert (await run(prepared, "replay", "3", "--from", "1")).err == "regserver: there is no webhook 3\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "http://example.org"), "URL: expected https"),
        (("add", "https://127.0.0.1"), "URL: 127.0.0.1 is no public address"),
        (("add", "https://example.org", "--events", "user.made"), "--events: expected names of events"),
        (("add", "https://example.org", "--note", "x" * 201), "--note: expected one line"),
        (("replay", "1", "--from", "x"), "--from: expected a position"),
        (("replay", "1", "--last", "8d"), "--last: from 1m to 7d"),
    ],
)
async def test_what_is_refused(prepared: Shell, arguments: tuple[str, ...], said: str) -> None:
    done = await prepared.run("webhook", *arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"regserver: {said}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("add",),
        ("list", "1"),
        ("remove", "1", "--note", "x"),
        ("replay", "1"),
        ("replay", "1", "--from", "1", "--last", "1d"),
        ("test", "1", "--events", "x"),
    ],
)
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert (await shell.run("webhook", *arguments)).code == 2
