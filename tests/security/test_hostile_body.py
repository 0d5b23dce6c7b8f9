"""Bodies and addresses that no client of ours sends, at every route of the started server: refused, never a bug, never repeated."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.serving.support import Peer
from tests.system.server import Server, open_server, sign_up

MARK = "canary4711"
JSON = {"content-type": "application/json"}
ENDS_THE_SESSION = {"/login/delete", "/login/token"}

RAW: dict[str, bytes] = {
    "nothing": b"",
    "a cut object": b'{"username": "' + MARK.encode(),
    "a lone surrogate": b'{"username": "\\ud800' + MARK.encode() + b'"}',
    "NUL": b'{"username": "a\\u0000' + MARK.encode() + b'", "\\u0000": 1}',
    "a number of 400 digits": b'{"limit": ' + b"9" * 400 + b"}",
    "a number past all floats": b'{"code": 1e999, "postId": -1e999}',
    "not a number": b'{"code": NaN, "userId": Infinity}',
    "deep lists": b"[" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a text in UTF-16": json.dumps({"username": MARK}).encode("utf-16"),
    "bytes that are no UTF-8": b'{"username": "\xff\xfe' + MARK.encode() + b'"}',
    "a key twice": b'{"content": "a", "content": ' + b'"' + MARK.encode() + b'"}',
    "a comment": b"{/* " + MARK.encode() + b' */ "username": "x"}',
    "a template": b'{"username": "{{7*7}}${7*7}", "email": "<%= 7*7 %>"}',
    "a number": b"1",
    "null": b"null",
    "a text": b'"' + MARK.encode() + b'"',
    "an empty list": b"[]",
    "markup": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
}
# Not "id": JSON-RPC sends it back.
FIELDS = (
    "username", "userName", "email", "password", "token", "content", "otherUsers", "name", "postId", "code",
    "phone", "identity", "captcha", "jsonrpc", "method", "params",  "languageCode",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**63,
    1.5,
    [],
    {},
    [[MARK]],
    {"$ne": MARK},
    "\u202e" + MARK,
    MARK + "\r\nBcc: victim@example.org",
    f"' OR 1=1; DROP TABLE account; -- {MARK}",
    "../../etc/passwd\0" + MARK,
    "%s%n{0}" + MARK,
    "é" * 20_000,
)
BODIES = [
    *RAW.values(),
    *(json.dumps(dict.fromkeys(FIELDS, value)).encode() for value in VALUES),
]

PATHS = (
    "//", "/..", "/../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/static/../../regserver.db", "/login;x=1", "/LOGIN",
    "/login/info;x", "/login%00", "/%00", "/.git/config", "/regserver.db", "/static/x/..%2fpage.py", "/room//list",
    "/%6cogin/%69nfo/%2e%2e", "/a" * 900, "/\\..\\..\\", "/room/list%20",
)  # fmt: skip


async def changing_routes(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Method and path of all routes that change something, of rooms, posts and people that there are."""
    document = (await client.get("/openapi.json")).json()
    found = []
    for path, operations in document["paths"].items():
        for method in operations.keys() & {"post", "put", "delete"}:
            if path not in ENDS_THE_SESSION:
                parts = ("1" if part.startswith("{") else part for part in path.split("/"))
                found.append((method.upper(), "/".join(parts)))
    return found


def no_fault(server: Server) -> bool:
    return "Traceback" not in server.printed and "a bug in" not in server.printed


async def test_bodies(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        await ann.post("/room/create", {"name": "Tea"})
        routes = await changing_routes(client)
        assert len(routes) > 15
        for method, path in routes:
            for body in BODIES:
                fields = {**JSON, "authorization": f"Bearer {ann.token}"}
                answer = await client.request(method, path, content=body, headers=fields)
                assert answer.status_code < 500, (method, path, body[:80])
                assert MARK not in answer.text, (method, path, body[:80])
        assert (await ann.get("/login/info"))["user"]["username"] == "ann"
        assert no_fault(server)


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "latin-1"])
async def test_forms(tmp_path: Path, coding: str) -> None:
    bodies = [
        f"userName={MARK}&email=é".encode(coding),
        b"%00=%ff&" * 200,
        b"&" * 60_000,
        b"userName[]=x&userName=y",
    ]
    fields = {"content-type": f"application/x-www-form-urlencoded; charset={coding}"}
    async with open_server(tmp_path) as server, server.client() as client:
        for body in bodies:
            answer = await client.post("/init", content=body, headers=fields)
            assert answer.status_code == 400
            assert MARK not in answer.text
        assert no_fault(server)


async def test_addresses(tmp_path: Path) -> None:
    """Nothing climbs, and no other spelling of a route is that route."""
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        for path in PATHS:
            for method in ("GET", "POST"):
                peer = Peer(await trio.open_tcp_stream("127.0.0.1", int(server.url.rpartition(":")[2])))
                head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ann.token}\r\n\r\n"
                status, _, body = await peer.ask(head.encode())
                await peer.aclose()
                assert status in {400, 404}, (method, path, body)
        assert no_fault(server)
