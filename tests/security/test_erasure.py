"""A person's whole life at every door, and its end: nothing of theirs is left in the store, its log, the server's log, a backup."""

import io
import json
import re
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from regserver.store.sqlite import connect
from tests.peer.http import Answer, Asked, open_http_peer
from tests.peer.smtp import SmtpPeer, open_smtp_peer
from tests.security.process import until
from tests.system.live_client import watch
from tests.system.server import Person, Server, listening, open_server, run_command, sign_up
from tests.system.steps_client import KEY, StepsClient

PHONE = "+380501234567"
PROXY = 'server.trusted_proxies=["127.0.0.1"]'
NETWORK = "203.0.113"
AGENT = "Peculiar-Browser/4711"


def settings(smtp: SmtpPeer, sms: str, grace: str) -> tuple[str, ...]:
    return (
        "server.public_url=http://localhost",
        PROXY,
        "sms.kind=http",
        f"sms.http.url={sms}/send",
        'sms.countries=["*"]',
        f"mail.smtp=smtp://127.0.0.1:{smtp.port}?tls=none",
        f"login.deletion_grace={grace}",
        "log.level=debug",
    )


async def of_the_rooms(client: httpx.AsyncClient) -> tuple[str, set[str]]:
    ann = await sign_up(client, "annabella")
    async with httpx.AsyncClient(
        base_url=client.base_url, timeout=30
    ) as other:  # of nobody's network and browser
        bob = await sign_up(other, "benedict")
        room = (await ann.post("/room/create", {"name": "Tea", "otherUsers": [bob.id]}))["roomId"]
        await ann.post(f"/room/post/{room}", {"content": "hello"})
        await bob.post(f"/login/block/{ann.id}")
    return ann.token, {"annabella", "annabella's long password"}


async def of_the_source(client: httpx.AsyncClient) -> tuple[str, set[str]]:
    right = {"username": "grace", "password": "nanosecond wire"}
    events = await watch(
        (await client.post("/login", json=right))
        .headers["location"]
        .replace("localhost", client.base_url.netloc.decode())
    )
    return str(events[-1]["additionalData"]["token"]), {"Brewster", "Hopper"}


async def of_the_directory(client: httpx.AsyncClient, smtp: SmtpPeer) -> tuple[str, set[str]]:
    person = {"userName": "Directory1", "password": "directory phrase", "email": "dir@person.example"}
    assert (await client.post("/init", json=person)).status_code == 200
    body = await _mail(smtp, "dir@person.example")
    (challenge,) = set(re.findall(r"#([A-Za-z0-9]{16,})", body))
    assert (await client.post(f"/{challenge}/confirm")).status_code == 200
    right = {"username": "Directory1", "password": "directory phrase"}
    token = str((await client.post("/login", json=right)).json()["token"])
    return token, {"Directory1", "directory1", "dir@person.example"}


async def of_the_steps(client: httpx.AsyncClient, texts: list[str]) -> tuple[str, set[str]]:
    steps = StepsClient(client)
    await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
    (code,) = re.findall(r"\b\d{6}\b", json.loads(texts[-1])["text"])
    user_id = await steps.to_named(PHONE, "step-by-step", code)
    keys = {"publicOwnerKey": KEY, "publicActiveKey": KEY}
    made = await steps.call(
        "toBlockChain", username="step-by-step", userId=user_id, phone=PHONE, wantToken=True, **keys
    )
    return str(made["token"]), {"step-by-step", PHONE[1:], KEY[3:]}


async def _mail(smtp: SmtpPeer, recipient: str) -> str:
    with trio.fail_after(30):
        while not (found := [mail for mail in smtp.received if mail.recipient == recipient]):
            await smtp.wait_received(len(smtp.received) + 1)
    return found[0].part("plain")


async def everybody(
    client: httpx.AsyncClient, smtp: SmtpPeer, texts: list[str]
) -> tuple[list[Person], set[str]]:
    """Somebody of each door, and what tells of them."""
    people, said = [], {NETWORK, AGENT}
    for token, words in (
        await of_the_rooms(client),
        await of_the_source(client),
        await of_the_directory(client, smtp),
        await of_the_steps(client, texts),
    ):
        people.append(Person(client, 0, token))
        said |= words
    return people, said


async def traces(folder: Path, server: Server, said: set[str]) -> set[tuple[str, str]]:
    """Where what was said still stands. The access log has the addresses of clients, whoever they were."""
    await until(lambda: not (folder / "test.db-wal").stat().st_size)  # it is folded in after a quiet second
    places = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".tar"}
    backup = folder / "backup.tar"
    store = f"store.url=sqlite:{folder / 'test.db'}"
    assert (await run_command("backup", str(backup), "--set", store, folder=folder)).returncode == 0
    with tarfile.open(fileobj=io.BytesIO(backup.read_bytes())) as archive:
        for member in archive:
            file = archive.extractfile(member)
            places[f"backup/{member.name}"] = b"" if file is None else file.read()
    backup.unlink()
    assert {"test.db", "test.db-wal", "test.key", "backup/regserver.db"} <= places.keys(), places.keys()
    found = {(place, word) for place, data in places.items() for word in said if word.encode() in data}
    log = server.printed
    return found | {("log", word) for word in said - {NETWORK} if word in log}


def client_of(server: Server) -> httpx.AsyncClient:
    headers = {"x-forwarded-for": f"{NETWORK}.77", "user-agent": AGENT}
    return httpx.AsyncClient(base_url=server.url, timeout=30, headers=headers)


@pytest.mark.parametrize("grace", ["0s", "1s"])
async def test_nothing_of_a_person_is_left_anywhere(tmp_path: Path, grace: str) -> None:
    """Without grace at once; after it at the next start at the latest."""
    texts: list[str] = []

    def provide(asked: Asked) -> Answer:
        texts.append(asked.body.decode())
        return Answer(200)

    folder = tmp_path / "state"
    folder.mkdir()
    async with open_http_peer(provide) as sms, open_smtp_peer() as (smtp, _):
        given = settings(smtp, sms.url, grace)
        async with open_server(folder, given) as server, client_of(server) as client:
            people, said = await everybody(client, smtp, texts)
            stored = {word for place, word in await traces(folder, server, said) if place == "test.db"}
            assert {"annabella", "Hopper", "dir@person.example", "step-by-step", AGENT, NETWORK} <= stored
            for person in people:
                assert (await person.call("DELETE", "/login/delete")).status_code == 204
                assert (await person.call("GET", "/login/info")).status_code == 410
            if grace == "0s":
                await _check(server)
                assert await traces(folder, server, said) == set()
        if grace == "0s":
            return
        with closing(connect(folder / "test.db")) as connection:  # as if an hour had passed
            connection.execute(
                "UPDATE account SET deleted_at = deleted_at - 3600000 WHERE deleted_at IS NOT NULL"
            )
        async with open_server(folder, given) as server:
            await until(lambda: erased(folder) == len(people))
            await _check(server)
            assert await traces(folder, server, said) == set()


def erased(folder: Path) -> int:
    with closing(connect(folder / "test.db", read_only=True)) as connection:
        return int(
            connection.execute("SELECT count(*) FROM account WHERE erased_at IS NOT NULL").fetchone()[0]
        )


async def _check(server: Server) -> None:
    """What stays for the others, and that no name is given again."""
    async with server.client() as client:
        right = {"username": "benedict", "password": "benedict's long password"}
        bob = Person(client, 0, (await client.post("/login", json=right)).json()["token"])
        (room,) = (await bob.get("/room/list"))["rooms"]
        posts = (await bob.get(f"/room/readAll/{room['roomId']}"))["posts"]
        assert [(post["content"], post["username"]) for post in posts] == [("hello", "deleted user")]
        taken = {"username": "Annabella", "email": "a@example.org", "password": "another long password"}
        assert (await client.post("/login/register", json=taken)).json() == {"error": "UsernameTaken"}
        assert (await client.get("/directory1/check")).json() == {"exists": True}
        steps = StepsClient(client)
        assert (await steps.reply("getState", phone=PHONE))["result"]["currentState"] == "firstStep"


async def test_an_operator_brings_somebody_back(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        async with listening(f"{server.socket_url}/room/websocket?token={ann.token}") as listener:
            assert (await ann.call("DELETE", "/login/delete")).status_code == 204
            assert await listener.close_code() in {1000, 1008}
        store = ("--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
        restored = await run_command("user", "restore", "ann", *store, folder=tmp_path)
        assert restored.returncode == 0, restored.stderr
        assert b"deleted" not in restored.stdout
        again = await run_command("user", "restore", "ann", *store, folder=tmp_path)
        assert (again.returncode, again.stderr) == (1, b"regserver: account 1 is not deleted\n")
        credentials: dict[str, Any] = {"username": "ann", "password": "ann's long password"}
        assert (await client.post("/login", json=credentials)).status_code == 200


async def test_an_operator_deletes_somebody_while_the_server_runs(tmp_path: Path) -> None:
    """The command writes to the store; the server tells those who are concerned."""
    store = ("--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
    async with open_server(tmp_path) as server, server.client() as client:
        ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        address = f"{server.socket_url}/room/websocket?token="
        async with listening(address + ann.token) as hers, listening(f"{address}{bob.token}&since=") as his:
            assert json.loads(await his.text())["type"] == "Resumed"
            done = await run_command("user", "delete", "ann", *store, folder=tmp_path)
            assert done.returncode == 0, done.stderr
            assert await hers.text() == "UserIsDeleted"
            assert await hers.close_code() == 1008
            left = json.loads(await his.text())
            del left["cursor"]
            assert left == {"type": "UserLeftRoom", "userId": ann.id, "roomId": room, "userDeleted": True}
        assert (await ann.call("GET", "/login/info")).status_code == 410
        (listed,) = (await bob.get("/room/list"))["rooms"]
        assert listed["users"] == [bob.id]


async def test_an_operator_deletes_somebody_while_no_server_runs(tmp_path: Path) -> None:
    """What the command leaves to the server is done at its next start, also without a time of grace."""
    store = ("--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
    async with open_server(tmp_path) as server, server.client() as client:
        ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
        await ann.post("/room/create", {"otherUsers": [bob.id]})
    assert (await run_command("user", "delete", "ann", *store, folder=tmp_path)).returncode == 0
    async with open_server(tmp_path, ("login.deletion_grace=0s",)) as server, server.client() as client:
        await until(lambda: erased(tmp_path) == 1)
        credentials = {"username": "bob", "password": "bob's long password"}
        again = Person(client, bob.id, (await client.post("/login", json=credentials)).json()["token"])
        (listed,) = (await again.get("/room/list"))["rooms"]
        assert listed["users"] == [bob.id]
