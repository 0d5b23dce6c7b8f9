"""The edges of HTTP, at each door of the started server."""

import datetime
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from regserver import testing
from tests.serving.conftest import certificate
from tests.system.server import local_server, open_server, sign_up

__all__ = ["certificate"]

BOM = b"\xef\xbb\xbf"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
RPC = {"jsonrpc": "2.0", "id": 1, "method": "getState", "params": {"phone": "+380000000000"}}
CONTACT = "mailto:security@example.org"
PATHS = ("/login", "/login/register", "/room/create", "/room/post/1", "/rpc", "/", "/init", "/confirm")


Running = tuple[testing.TestedServer, httpx.AsyncClient]


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with local_server() as opened:
        yield opened


@pytest.fixture
async def server(running: Running) -> testing.TestedServer:
    return running[0]


@pytest.fixture
async def client(running: Running) -> httpx.AsyncClient:
    return running[1]


async def test_a_coded_body_is_refused_in_the_words_of_its_door(client: httpx.AsyncClient) -> None:
    for path in PATHS:
        answer = await client.post(path, content=b"\x1f\x8b", headers={**JSON, "content-encoding": "gzip"})
        assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity"), path
        body = answer.json()
        if path in {"/rpc", "/"}:
            assert (body["jsonrpc"], body["error"]["code"]) == ("2.0", -32600)
        elif path == "/init":
            assert body["id"] == "BAD_CONTENT_TYPE"
        else:
            assert body == {"error": "BadContentType"}, path


async def test_an_empty_body_is_none_whatever_its_type_says(client: httpx.AsyncClient) -> None:
    ann = await sign_up(client, "ann")
    token = {"authorization": f"Bearer {ann.token}"}
    for kind in ({}, FORM, JSON, {"content-type": "text/plain"}, {"content-type": "multipart/form-data"}):
        made = await client.post("/room/create", content=b"", headers={**token, **kind})
        assert made.status_code == 200, kind
        assert (await client.post("/login/ticket", content=b"", headers={**token, **kind})).status_code == 200
        empty = await client.post("/login", content=b"", headers=kind)
        assert (empty.status_code, empty.json()) == (400, {"error": "BadJson"})
        rpc = await client.post("/rpc", content=b"", headers=kind)
        assert (rpc.status_code, rpc.json()["error"]["code"]) == (200, -32700)


async def test_a_byte_order_mark_means_nothing(client: httpx.AsyncClient) -> None:
    who = {"username": "ann", "email": "ann@example.org", "password": "a long password"}
    made = await client.post("/login/register", content=BOM + json.dumps(who).encode(), headers=JSON)
    assert made.status_code == 201
    rpc = await client.post("/rpc", content=BOM + json.dumps(RPC).encode(), headers=JSON)
    assert rpc.json()["result"]["currentState"] == "firstStep"
    fields = b"userName=Alice&password=rather+long&email=alice%40example.org"
    assert (await client.post("/init", content=BOM + fields, headers=FORM)).json()["id"] == "INIT_DONE"
    assert (await client.post("/login", content=BOM + b"{", headers=JSON)).status_code == 400
    sixteen = json.dumps(who).encode("utf-16")
    assert (await client.post("/login", content=sixteen, headers=JSON)).json() == {"error": "BadJson"}


async def test_the_address_of_a_socket_asks_for_an_upgrade(
    server: testing.TestedServer, client: httpx.AsyncClient
) -> None:
    for path in (
        "/room/websocket",
        "/room/websocket/",
        "/room/websocket?token=x",
        "/register/u-1",
        "/register/u-1/",
    ):
        answer = await client.get(path)
        assert answer.status_code == 426, path
        assert answer.headers["upgrade"] == "websocket"
        assert answer.headers["connection"].lower() == "upgrade"
        assert answer.json()["error"] == "UpgradeRequired"
        assert "proxy" in answer.json()["hint"]
    assert (await client.post("/register/u-1")).status_code == 404
    assert (await client.get("/register")).status_code == 404


async def test_another_method_is_405_where_the_door_says_so(client: httpx.AsyncClient) -> None:
    for method, path, allow in (
        ("GET", "/rpc", "POST"),
        ("PUT", "/rpc", "POST"),
        ("GET", "/init", "POST"),
        ("PUT", "/alice/check", "GET, HEAD"),
        ("DELETE", "/alice/server", "GET, HEAD, POST"),
    ):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allow), (method, path)
    for method, path in (("GET", "/login"), ("GET", "/room/create")):
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()) == (404, {"error": "RouteNotFound"})


# --- transport security, and what browsers ask every site for
async def test_browsers_are_kept_on_tls_where_it_is(tmp_path: Path, certificate: tuple[str, str]) -> None:
    async with local_server() as (_, client):
        assert "strict-transport-security" not in (await client.get("/")).headers
    settings = [f"server.tls_cert={certificate[0]}", f"server.tls_key={certificate[1]}"]
    async with (
        open_server(tmp_path, settings) as server,
        httpx.AsyncClient(verify=False, base_url=server.url) as client,  # noqa: S501
    ):
        for path in ("/", "/nowhere", "/login/info"):
            assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000"
    async with local_server(server={"public_url": "https://example.org"}) as (_, client):
        assert (await client.get("/")).headers["strict-transport-security"] == "max-age=31536000"
    async with local_server(server={"public_url": "https://example.org", "hsts": "0s"}) as (_, client):
        assert "strict-transport-security" not in (await client.get("/")).headers


async def test_reports_of_faults_have_an_address() -> None:
    section = {
        "security_contact": [CONTACT, "https://example.org/report"],
        "public_url": "https://example.org",
    }
    async with local_server(server=section) as (_, client):
        answer = await client.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert [value for name, value in fields if name == "Contact"] == [CONTACT, "https://example.org/report"]
    (expires,) = [value for name, value in fields if name == "Expires"]
    left = datetime.datetime.fromisoformat(expires) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=30) < left < datetime.timedelta(days=365)
    assert ["Canonical", "https://example.org/.well-known/security.txt"] in fields


async def test_without_a_contact_there_is_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/.well-known/security.txt")).status_code == 404


async def test_password_managers_find_where_a_password_is_changed(
    server: testing.TestedServer, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/.well-known/change-password")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{server.url}/#password")
    missing = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert (await client.get(missing)).status_code == 404
