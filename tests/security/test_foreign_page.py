"""Pages of other sites: they change nothing here, and what they may do they can read."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver import testing
from regserver.config import ConfigFault, load
from tests.serving.support import Peer, upgrade
from tests.system.server import AnyServer, client_of, local_server, open_server, sign_up

FOREIGN = "https://evil.example"
LISTED = "https://app.example.org"
CROSS = {"sec-fetch-site": "cross-site", "origin": FOREIGN}
NEW = {"username": "victim", "email": "victim@example.org", "password": "a long password"}
HINT = "server.cors_origins"


@pytest.fixture
async def server() -> AsyncIterator[testing.TestedServer]:
    async with testing.server() as server:
        yield server


async def test_a_foreign_page_signs_nobody_up(server: testing.TestedServer) -> None:
    """fetch with mode no-cors and a Blob without a type needs no preflight."""
    for headers in (CROSS, {"sec-fetch-site": "cross-site"}, {"origin": FOREIGN}, {"origin": "null"}):
        async with client_of(server) as client:
            answer = await client.post("/login/register", content=json.dumps(NEW), headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"] == "ForeignOrigin"
            assert HINT in answer.json()["hint"]
    async with client_of(server) as client:
        assert (await client.post("/login/register", content=json.dumps(NEW))).status_code == 201


async def test_each_door_refuses_in_its_own_words(server: testing.TestedServer) -> None:
    async with client_of(server) as client:
        form = await client.post("/init", data={"userName": "Alice"}, headers=CROSS)
        assert (form.status_code, form.json()["id"]) == (403, "FOREIGN_ORIGIN")
        assert HINT in form.json()["detail"]
        call = {"jsonrpc": "2.0", "id": 1, "method": "getState", "params": {"phone": "+380000000000"}}
        for path in ("/rpc", "/"):
            rpc = await client.post(path, content=json.dumps(call), headers=CROSS)
            error = rpc.json()["error"]
            assert (rpc.status_code, rpc.json()["id"], error["code"]) == (403, None, 403)
            assert HINT in error["data"]["hint"]
        for path in ("/confirm", "/login", "/room/create", "/room/post/1"):
            refused = await client.post(path, content=b"{}", headers=CROSS)
            assert (refused.status_code, refused.json()["error"]) == (403, "ForeignOrigin"), path


async def test_the_own_page_and_programs_are_let_through(server: testing.TestedServer) -> None:
    host = server.url.removeprefix("http://")
    for number, headers in enumerate(
        (
            {},
            {"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"},
            {"origin": f"http://{host}"},
        )
    ):
        async with client_of(server) as client:
            who = {**NEW, "username": f"ann{number}", "email": f"ann{number}@example.org"}
            answer = await client.post("/login/register", json=who, headers=headers)
            assert answer.status_code == 201, headers


async def test_a_foreign_page_may_read_what_anybody_may(server: testing.TestedServer) -> None:
    """It cannot see the answer without CORS."""
    async with client_of(server) as client:
        answer = await client.get("/alice/check", headers=CROSS)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


async def test_the_operator_reads_which_page_was_refused_and_which_setting_lets_it_in(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        for _ in range(3):
            await client.post("/login", json={}, headers=CROSS)
    lines = [line for line in server.lines if FOREIGN in line["message"]]
    assert len(lines) == 1
    assert HINT in lines[0]["message"]
    assert logging.getLevelName(lines[0]["level"].upper()) == logging.WARNING


# --- with a list
async def handshake(server: AnyServer, path: str, *fields: str) -> bytes:
    peer = Peer(await trio.open_tcp_stream("127.0.0.1", int(server.url.rpartition(":")[2])))
    await peer.send(upgrade(path, *fields))
    head = await peer.read_head()
    await peer.aclose()
    return head


async def test_a_socket_of_a_foreign_page_is_refused_where_pages_are_listed(tmp_path: Path) -> None:
    settings = [
        f'server.cors_origins=["{LISTED}:443", "https://*.example.net"]',
        "server.public_url=https://reg.example.org:443",
    ]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        path = f"/room/websocket?token={ann.token}"
        for origin in (LISTED, "https://a.b.example.net", "https://reg.example.org"):
            assert b"101" in await handshake(server, path, f"Origin: {origin}"), origin
        assert b"101" in await handshake(server, path, "Origin: https://x", "Sec-Fetch-Site: same-origin")
        for origin in (FOREIGN, "https://example.net", "http://a.example.net", "null"):
            head = await handshake(server, path, f"Origin: {origin}")
            assert head.startswith(b"HTTP/1.1 403 "), origin
        line = await server.wait_line(lambda line: FOREIGN in line["message"])
        assert HINT in line["message"]
        assert "server.public_url" in line["message"]


async def test_without_a_list_a_socket_needs_a_token_alone(server: testing.TestedServer) -> None:
    async with client_of(server) as client:
        ann = await sign_up(client, "ann")
    head = await handshake(server, f"/room/websocket?token={ann.token}", f"Origin: {FOREIGN}")
    assert b" 101 " in head


async def test_a_listed_page_may_call_and_can_read_every_answer() -> None:
    section = {
        "cors_origins": [LISTED],
        "cors_headers": ["X-Api-Version"],
        "bounds": {"head_timeout": "1s", "pong_timeout": "500ms"},
    }
    limits = {"enabled": True, "routes": {"sign_in": "1/1h"}}
    page = {"origin": LISTED, "sec-fetch-site": "cross-site"}
    async with local_server(server=section, limits=limits) as (server, client):
        asked = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "baggage,x-api-version",
        }
        preflight = await client.options("/login", headers={**page, **asked})
        assert preflight.status_code == 204
        allowed = preflight.headers["access-control-allow-headers"].lower()
        for name in ("baggage", "sentry-trace", "traceparent", "x-requested-with", "x-api-version"):
            assert name in allowed
        wrong = {"username": "x", "password": "y"}
        answers = [await client.post("/login", json=wrong, headers=page) for _ in range(2)]
        answers += [await client.get("/nowhere", headers=page), await client.get("/room/list", headers=page)]
        assert [answer.status_code for answer in answers] == [401, 429, 404, 401]
        for answer in answers:
            assert answer.headers["access-control-allow-origin"] == LISTED
            assert "Retry-After" in answer.headers["access-control-expose-headers"]
        port = int(server.url.rpartition(":")[2])
        for sent, status in (
            (b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: " + LISTED.encode() + b"\r\nX: " + b"x" * 20_000, 431),
            (b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: " + LISTED.encode() + b"\r\n", 408),
            (b"nonsense\r\n\r\n", 400),
        ):
            peer = Peer(await trio.open_tcp_stream("127.0.0.1", port))
            got, fields, _ = await peer.ask(sent)
            assert (got, fields["access-control-allow-origin"]) == (status, "*")
            await peer.aclose()


async def test_a_page_can_read_that_there_is_no_place() -> None:
    async with local_server(server={"cors_origins": [LISTED], "max_connections": 1}) as (server, _):
        port = int(server.url.rpartition(":")[2])
        first = Peer(await trio.open_tcp_stream("127.0.0.1", port))
        await first.send(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{")  # and stays
        second = Peer(await trio.open_tcp_stream("127.0.0.1", port))
        status, fields, _ = await second.response()
        assert (status, fields["access-control-allow-origin"], fields["retry-after"]) == (503, "*", "1")
        await first.aclose()
        await second.aclose()


@pytest.mark.parametrize(
    "entry",
    [
        "app.example.org",
        "https://app.example.org/path",
        "https://a.*.example",
        "null",
        "https://münchen.example",
    ],
)
def test_an_entry_that_would_never_match_is_refused(entry: str) -> None:
    with pytest.raises(ConfigFault, match=r"server\.cors_origins: expected origins"):
        load(overrides=[f"server.cors_origins={entry}"], environment={})
