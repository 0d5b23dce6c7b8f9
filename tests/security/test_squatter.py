"""Somebody else's address, on a running server with real mail: taking it first gains nothing, and costs its owner nothing."""

import re
from pathlib import Path

import httpx

from tests.peer.smtp import SmtpPeer, open_smtp_peer
from tests.system.server import listening, local_server, open_server

ADDRESS = "victim@example.org"
OWN, STOLEN = "her own password", "the squatter's password"


OURS = {"public_url": "https://example.org"}


async def register(client: httpx.AsyncClient, name: str, password: str) -> str:
    body = {"username": name, "email": ADDRESS, "password": password}
    answer = await client.post("/login/register", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def secret(peer: SmtpPeer, number: int) -> str:
    """The secret in the mail of this number."""
    await peer.wait_received(number)
    found = re.search(r"#([A-Za-z0-9_-]+)", peer.accepted[number - 1].part("plain"))
    assert found is not None
    return found[1]


async def address_of(client: httpx.AsyncClient, token: str) -> tuple[str | None, bool]:
    answer = await client.get("/login/info", headers={"authorization": f"Bearer {token}"})
    user = answer.json()["user"]
    return user["email"], user["emailVerified"]


async def test_a_wish_costs_the_owner_nothing(tmp_path: Path) -> None:
    async with (
        open_smtp_peer() as (peer, _),
        open_server(
            tmp_path,
            [f"mail.smtp=smtp://127.0.0.1:{peer.port}", "server.public_url=https://example.org"],
        ) as server,
        server.client() as client,
    ):
        squatter = await register(client, "squatter", STOLEN)
        stolen = await secret(peer, 1)
        owner = await register(client, "owner", OWN)
        own = await secret(peer, 2)
        by_address = {"username": ADDRESS.upper(), "password": STOLEN}
        assert (await client.post("/login", json=by_address)).status_code == 401
        answer = await client.post("/login/email/verify", json={"token": own})
        assert (answer.status_code, answer.json()) == (200, {"email": ADDRESS})
        assert await address_of(client, squatter) == (None, False)
        assert await address_of(client, owner) == (ADDRESS, True)
        for used in (own, stolen):
            answer = await client.post("/login/email/verify", json={"token": used})
            assert (answer.status_code, answer.json()) == (404, {"error": "BadLink"})
        assert (await client.post("/login", json=by_address)).status_code == 401
        answer = await client.post("/login", json={**by_address, "password": OWN})
        assert answer.status_code == 200
        third = {"username": "third", "email": ADDRESS, "password": STOLEN}
        assert (await client.post("/login/register", json=third)).status_code == 409
        for each in (own, stolen):
            assert each not in server.printed
            assert all(
                each.encode() not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file()
            )


async def test_nobody_is_confirmed_into_an_account_of_a_stranger_s_making() -> None:
    async with local_server(server=OURS) as (server, client):
        body = {"userName": "Victim", "email": ADDRESS, "password": STOLEN}
        assert (await client.post("/init", json=body)).status_code == 200
        challenge = (await server.mailbox.wait(ADDRESS)).token
        form = {"challenge": challenge}
        assert (await client.post("/confirm", data=form)).status_code == 400  # the button alone
        assert (await client.get("/victim/check")).json() == {"exists": False}
        assert (await client.post("/confirm", data={**form, "new": "1", "password": OWN})).status_code == 200
        for username in ("victim", ADDRESS):
            for password, status in ((STOLEN, 401), (OWN, 200)):
                answer = await client.post("/login", json={"username": username, "password": password})
                assert answer.status_code == status


async def test_one_mailbox_gets_few_mails_from_all_doors_together() -> None:
    async with local_server(server=OURS) as (server, client):
        token = await register(client, "first", OWN)
        body = {"userName": "Second", "email": ADDRESS, "password": OWN}
        assert (await client.post("/init", json=body)).status_code == 200
        params = {"email": ADDRESS, "captcha": "x", "captchaType": "web"}
        call = {"jsonrpc": "2.0", "id": 1, "method": "firstStepEmail", "params": params}
        assert "result" in (await client.post("/rpc", json=call)).json()
        await register(client, "fourth", OWN)  # without a mail, and without a word
        refused = await client.post("/init", json={**body, "userName": "Fifth"})
        assert (refused.status_code, refused.json()["id"]) == (429, "TOO_MANY_REQUESTS")
        assert 3500 < int(refused.headers["retry-after"]) <= 3600
        bearer = {"authorization": f"Bearer {token}"}
        refused = await client.post("/login/email/resend", headers=bearer)
        assert (refused.status_code, refused.json()) == (429, {"error": "TooManyRequests"})
        other = {"username": "sixth", "email": "other@example.org", "password": OWN}
        assert (await client.post("/login/register", json=other)).status_code == 201
        sent = [await server.mailbox.wait() for _ in range(4)]
        assert sorted(mail.to for mail in sent) == ["other@example.org", *[ADDRESS] * 3]


async def test_rooms_and_sockets_wait_where_an_address_is_required() -> None:
    async with local_server(server=OURS, login={"verify_email": "require"}) as (server, client):
        token = await register(client, "owner", OWN)
        bearer, place = (
            {"authorization": f"Bearer {token}"},
            f"{server.socket_url}/room/websocket?token={token}",
        )
        refused = await client.post("/room/create", json={}, headers=bearer)
        assert (refused.status_code, refused.json()) == (403, {"error": "EmailNotVerified"})
        async with listening(place) as listener:
            assert await listener.text() == "EmailNotVerified"
            assert await listener.close_code() == 1008
        assert (
            await client.post(
                "/login/email/verify", json={"token": (await server.mailbox.wait(ADDRESS)).token}
            )
        ).status_code == 200
        assert (await client.post("/room/create", json={}, headers=bearer)).status_code == 200
        async with listening(f"{place}&since=") as listener:
            assert (await listener.message())["type"] == "Resumed"
