"""The directory on the started server, with the mail in its log."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import trio

from regserver import testing
from tests.system.server import AnyServer, LogLine, local_server, open_server, sign_up

LINK = re.compile(r"(http://\S+/confirm)\?lang=(\w\w)#([A-Za-z0-9]+)")


async def begin(server: AnyServer, client: httpx.AsyncClient, name: str, **more: str) -> tuple[str, str]:
    """Signs up; the page of the link in the mail, and its challenge."""
    fields = {"userName": name, "password": "sixsix", "email": f"{name.lower()}@example.org", **more}
    response = await client.post("/init", json=fields)
    assert response.status_code == 200, response.text
    assert response.json()["id"] == "INIT_DONE"

    found = LINK.search(await mailed(server, fields["email"]))
    assert found is not None
    assert found[3] not in response.text
    return f"{found[1]}?lang={found[2]}", found[3]


async def mailed(server: AnyServer, address: str) -> str:
    """The text of a mail to this address: of a server in this process from its mailbox, of another one from its log."""
    if isinstance(server, testing.TestedServer):
        return (await server.mailbox.wait(address)).text

    def wanted(line: LogLine) -> bool:
        return str(line["message"]).startswith(f"mail to {address}:")

    with trio.fail_after(60):
        return str((await server.wait_line(wanted))["text"])


async def test_from_the_name_to_the_rooms(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        assert (await client.get("/alice/check")).json() == {"exists": False}
        page, challenge = await begin(server, client, "Alice", languageCode="fr")
        opened = await client.get(page)
        assert opened.status_code == 200
        assert "Confirmez votre inscription" in opened.text
        assert (await client.get("/alice/check")).json() == {"exists": False}
        confirmed = await client.post(f"/{challenge}/confirm")
        assert (confirmed.status_code, confirmed.json()) == (200, {"server": "127.0.0.1"})
        again = await client.get(f"/{challenge}/confirm/")
        assert (again.status_code, again.json()["id"]) == (400, "ALREADY_CONFIRMED")
        assert again.json()["server"] == "127.0.0.1"
        assert (await client.get("/ALICE/check")).json() == {"exists": True}
        assert (await client.get("/alice/server")).json() == {"server": "127.0.0.1"}
        # the same account at the other doors
        signed_in = await client.post("/login", json={"username": "alice", "password": "sixsix"})
        assert signed_in.status_code == 200
        bearer = {"authorization": f"Bearer {signed_in.json()['token']}"}
        assert (await client.post("/room/create", json={}, headers=bearer)).status_code == 200
        assert challenge not in "".join(
            line["message"] for line in server.lines if line["logger"] != "regserver.mail"
        )


async def test_a_name_is_taken_at_every_door() -> None:
    async with local_server() as (server, client):
        await sign_up(client, "alice")
        fields = {"userName": "Alice", "password": "sixsix", "email": "ALICE@example.org"}
        refused = await client.post("/init", json=fields)
        assert [error["id"] for error in refused.json()["errors"]] == ["EXISTING_USER_NAME"]
        assert (await client.get("/alice/check")).json() == {"exists": True}
        _, challenge = await begin(server, client, "Bobby")
        await client.get(f"/{challenge}/confirm")
        body = {"username": "bobby", "email": "other@example.org", "password": "a long password"}
        taken = await client.post("/login/register", json=body)
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})


async def test_racing_confirmations_have_one_winner() -> None:
    answers: list[Any] = []
    async with local_server(directory={"servers": ["one.example.org"]}) as (server, client):
        first = (await begin(server, client, "Alice", email="one@example.org"))[1]
        second = (await begin(server, client, "ALICE", email="two@example.org"))[1]

        async def confirm(challenge: str, method: str) -> None:
            answer = await client.request(method, f"/{challenge}/confirm")
            answers.append((answer.status_code, answer.json().get("id"), answer.json()["server"]))

        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(confirm, (first, second)[number % 2], ("GET", "POST")[number // 2 % 2])
    assert answers.count((200, None, "one.example.org")) == 1
    assert answers.count((400, "ALREADY_CONFIRMED", "one.example.org")) == 39


async def test_what_survives_a_restart(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        _, challenge = await begin(server, client, "Alice")
    async with open_server(tmp_path) as server, server.client() as client:
        assert (await client.get(f"/{challenge}/confirm")).status_code == 200
    async with open_server(tmp_path) as server, server.client() as client:
        assert (await client.get(f"/{challenge}/confirm")).json()["id"] == "ALREADY_CONFIRMED"


async def test_bad_input_is_refused_in_this_doors_shape() -> None:
    async with local_server() as (_, client):
        for body, status, expected in (
            (b"{" * 1000, 400, "INVALID_JSON_REQUEST"),
            (b"x" * 2_000_000, 413, "BODY_TOO_LARGE"),
            (json.dumps({"email": "a@b.org\r\nBcc: eve@example.org"}).encode(), 400, "INVALID_DATA"),
        ):
            answer = await client.post("/init", content=body, headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["id"]) == (status, expected)
            assert set(answer.json()) - {"errors"} == {"message", "detail", "id"}
            assert "eve" not in answer.text
        for path in ("alice%0A", "%E2%84%AAelvin", "%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5", "alice%00"):
            answer = await client.get(f"/{path}/check")
            assert (path, answer.status_code) == (path, 400)
        assert (await client.get("/al%2Fce/check")).status_code == 404


async def test_a_server_is_added_without_a_restart(tmp_path: Path) -> None:
    def configure(text: str) -> None:
        (tmp_path / "regserver.toml").write_text(f"[directory]\n{text}\n")

    configure('servers = ["one.example.org"]')
    async with open_server(tmp_path) as server, server.client() as client:
        first = (await begin(server, client, "Alice"))[1]
        assert (await client.get(f"/{first}/confirm")).json() == {"server": "one.example.org"}
        configure('servers = ["one.example.org", "two.example.org"]\nreserved = ["keeper"]')
        server.process.send_signal(signal.SIGHUP)
        with trio.fail_after(60):
            await server.wait_line(lambda line: line["message"] == "reloaded")
        second = (await begin(server, client, "Bobby"))[1]
        assert (await client.get(f"/{second}/confirm")).json() == {"server": "two.example.org"}
        assert (await client.get("/alice/server")).json() == {"server": "one.example.org"}
        assert (await client.get("/keeper/check")).json() == {"exists": True}
        configure('servers = ["https://wrong/"]')
        server.process.send_signal(signal.SIGHUP)
        with trio.fail_after(60):
            await server.wait_line(lambda line: "not reloaded" in line["message"])
        assert (await client.get("/alice/check")).status_code == 200
