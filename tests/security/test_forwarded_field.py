"""Who is asking: what clients invent changes nothing, behind a trusted proxy and without one."""

import itertools
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import trio

from tests.serving.support import Peer, upgrade
from tests.system.server import Server, open_server, run_command, sign_up

FEW = ("limits.enabled=true", "limits.routes.sign_in=5/1h")
TRUSTED = "server.trusted_proxies=127.0.0.1"
_numbers = itertools.count()


async def tried(client: httpx.AsyncClient, **fields: str) -> int:
    """The status of a sign-in with a wrong password, each as somebody else: guesses at one name have a bound of their own."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    body = {"username": f"nobody{next(_numbers)}", "password": "wrong"}
    return (await client.post("/login", json=body, headers=headers)).status_code


async def test_an_invented_field_opens_no_new_allowance(tmp_path: Path) -> None:
    async with open_server(tmp_path, [*FEW, TRUSTED]) as server, server.client() as client:
        statuses = [
            await tried(
                client,
                x_forwarded_for=f"203.0.113.{number}, 192.0.2.7",
                forwarded=f"for=203.0.113.{number}",
                x_real_ip=f"203.0.113.{number}",
                cf_connecting_ip=f"203.0.113.{number}",
            )
            for number in range(8)
        ]
        assert statuses == [401] * 5 + [429] * 3
        assert await tried(client, x_forwarded_for="192.0.2.8") == 401
        line = await server.wait_line(lambda line: line["message"] == "POST /login")
        assert line["client"] == "192.0.2.7"


# --- a proxy whose setting is missing
async def test_nobody_is_locked_out_behind_a_proxy_without_its_setting(tmp_path: Path) -> None:
    async with open_server(tmp_path, FEW) as server, server.client() as client:
        await sign_up(client, "eve")
        for number in range(200):
            await tried(client, x_forwarded_for=f"203.0.113.{number}")
        assert [await tried(client, x_forwarded_for="203.0.113.1") for _ in range(6)][-1] == 429
        right = {"username": "eve", "password": "eve's long password"}
        answer = await client.post("/login", json=right, headers={"x-forwarded-for": "192.0.2.7"})
        assert answer.status_code == 200
        told = await server.wait_lines(lambda line: "server.trusted_proxies" in line["message"], 1)
        assert len(told) == 1
        assert told[0]["level"] == "warning"
        ready = (await client.get("/health/ready")).json()
        assert (ready["status"], ready["failing"]) == ("degraded", ["proxy"])
        assert '"127.0.0.1" to server.trusted_proxies' in ready["parts"]["proxy"]
        bind = server.url.removeprefix("http://")
        store = f"store.url=sqlite:{tmp_path / 'test.db'}"
        settings = ["--set", f"server.bind={bind}", "--set", store]
        doctor = (await run_command("doctor", *settings, folder=tmp_path)).stdout.decode()
        assert f"{bind} is served by a running server, which is degraded" in doctor
        assert ready["parts"]["proxy"] in doctor


async def test_what_it_names_is_not_believed(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        fields = {
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-host": "evil.example",
            "x-forwarded-proto": "https",
        }
        body = {"username": "ada", "password": "correct horse battery"}
        answer = await client.post("/login", json=body, headers=fields)
        assert answer.headers["location"].startswith(server.socket_url)
        assert (await client.get("/metrics", headers=fields)).status_code == 403
        line = await server.wait_line(lambda line: line["message"] == "POST /login")
        assert line["client"] == "127.0.0.1"


# --- bounds by client
async def test_sockets_are_bounded_by_client_behind_a_proxy(tmp_path: Path) -> None:
    settings = [TRUSTED, "server.max_connections_per_address=2"]
    async with (
        open_server(tmp_path, settings) as server,
        server.client() as client,
        AsyncExitStack() as stack,
    ):
        ann = await sign_up(client, "ann")

        async def opened(address: str) -> bytes:
            port = int(server.url.rpartition(":")[2])
            peer = Peer(await trio.open_tcp_stream("127.0.0.1", port))
            stack.push_async_callback(peer.aclose)
            path = f"/room/websocket?token={ann.token}"
            await peer.send(upgrade(path, f"X-Forwarded-For: {address}"))
            return (await peer.read_head()).split(b" ")[1]

        assert [await opened("2001:db8::1"), await opened("2001:db8::2")] == [b"101", b"101"]
        assert await opened("2001:DB8::3") == b"429"
        assert await opened("2001:db8:0:1::1") == b"101"
        refused = await client.get("/health/alive", headers={"x-forwarded-for": "2001:db8::4"})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert_clean(server)


def assert_clean(server: Server) -> None:
    """Nothing was logged as an error."""
    assert [line for line in server.lines if line.get("level") == "error"] == []
