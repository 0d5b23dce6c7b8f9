"""Every hot route answers the same bytes on the hot path and behind Quart."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from werkzeug.exceptions import HTTPException

from regserver.app import App, open_app
from regserver.config import load
from regserver.serving import Front, FrontLimits
from tests.garbage import count, no_collector
from tests.system.server import ROSTER

JSON = "content-type: application/json"
VARYING = re.compile(rb"(?<=x-request-id: )[0-9a-f-]+|(?<=date: )[^\r]+|regs_[A-Za-z0-9_-]+|u-[0-9a-f-]{36}")

# What is asked of each hot route beside the general questions: (target, body).
ASKED: dict[str, list[tuple[str, str]]] = {
    "POST /login": [
        ("/login", '{"username": "hot", "password": "hot and cold"}'),
        ("/login/", '{"username": "hot", "password": "wrong"}'),
        ("/login", '{"username": "ada", "password": "correct horse battery"}'),
    ],
    "POST /user/login": [("/user/login", '{"username": "hot", "password": "hot and cold"}')],
    "GET /room/info/{room}": [
        ("/room/info/1", ""),
        ("/room/info/1?getLastPost=true", ""),
        ("/room/info/x", ""),
    ],
    "POST /room/post/{room}": [("/room/post/1", '{"content": ""}'), ("/room/post/2", '{"content": "x"}')],
    "GET /room/list": [("/room/list", "")],
    "GET /room/read/{post}": [("/room/read/9", ""), ("/room/read/x", "")],
    "GET /room/readAll/{room}": [("/room/readAll/1", ""), ("/room/readAll/1?limit=0", "")],
    "POST /room/seen/{room}": [("/room/seen/1", '{"postId": 9}'), ("/room/seen/1", '{"postId": "9"}')],
    "GET /{name}/check": [("/hot12/check", ""), ("/h%C3%A9/check", ""), ("/x/check", "")],
    "GET /{name}/server": [("/nobody/server", ""), ("/x/server", "")],
    "POST /{name}/server": [("/hot12/server", "{}")],
    "POST /init": [("/init", '{"userName": "x", "password": "", "email": ""}'), ("/init", "[1]")],
    "GET /{challenge}/confirm": [("/abcdefgh/confirm", ""), ("/x/confirm", "")],
    "POST /{challenge}/confirm": [("/abcdefgh/confirm", ""), ("/x%2Fy/confirm", "")],
    "POST /rpc": [
        ("/rpc", '{"jsonrpc": "2.0", "id": 1, "method": "getState", "params": {"phone": "+380000000000"}}'),
        ("/rpc", "[]"),
        ("/rpc", '{"jsonrpc": "2.0", "method": "getState", "params": {"phone": "+380000000000"}}'),
        ("/rpc", '{"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}'),
    ],
    "POST /": [("/", '{"jsonrpc": "2.0", "id": "x", "method": "nope"}')],
}


@asynccontextmanager
async def open_both(folder: Path) -> AsyncIterator[tuple[App, int, int]]:
    """The same application twice: with its hot table, and with an empty one."""
    settings = [f"store.url=sqlite:{folder / 'x.db'}", f"live.file.path={ROSTER}", "limits.enabled=false"]
    settings += ["server.public_url=http://same.example", "password.memory=4MiB", "password.time_cost=1"]
    async with open_app(load(None, settings, {})) as app:
        cold = Front(
            app=app.quart,
            dispatch=app.front._context.dispatch,
            is_hot=lambda method, path: False,
            socket=lambda path: None,
            limits=FrontLimits(),
        )
        async with app.front.open(["127.0.0.1:0"]) as [hot_url], cold.open(["127.0.0.1:0"]) as [cold_url]:
            yield app, port_of(hot_url), port_of(cold_url)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def exchange(port: int, method: str, target: str, body: bytes, *fields: str) -> bytes:
    """One request on a connection of its own; all bytes of the answer."""
    head = [
        f"{method} {target} HTTP/1.1",
        "host: 127.0.0.1",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all("\r\n".join([*head, *fields, "", ""]).encode() + body)
        answer = b""
        with trio.fail_after(20):
            async for piece in stream:
                answer += piece
    return answer


async def test_both_ways_answer_the_same(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (app, hot, cold):
        sign_up = b'{"username": "hot", "email": "hot@example.org", "password": "hot and cold"}'
        token = json.loads(
            (await exchange(hot, "POST", "/login/register", sign_up, JSON)).partition(b"\r\n\r\n")[2]
        )
        bearer = f"authorization: Bearer {token['token']}"
        await exchange(hot, "POST", "/room/create", b"{}", JSON, bearer)
        routes = {f"{route.method} {route.pattern}": route for route in app.router.routes if route.hot}
        assert set(routes) == set(ASKED)
        compared = 0
        for name, asked in ASKED.items():
            method = routes[name].method
            questions: list[tuple[str, bytes, tuple[str, ...]]] = [
                (target, body.encode(), (JSON, bearer)) for target, body in asked
            ]
            target, body = asked[0][0], asked[0][1].encode()
            questions += [
                (target, body, (JSON,)),
                (target, body, (JSON, "authorization: Basic x")),
                (target, b"{", (JSON, bearer)),
                (target, body, ("content-type: text/plain", bearer)),
                (target, b"x" * 70_000, (JSON, bearer)),
                (target, b"", (JSON, bearer, "origin: http://elsewhere.example", "x-forwarded-for: 1.2.3.4")),
            ]
            for target, body, fields in questions:
                answers = [
                    VARYING.sub(b"-", await exchange(port, method, target, body, *fields))
                    for port in (hot, cold)
                ]
                assert answers[0] == answers[1], (name, target, body[:50])
                assert answers[0].startswith(b"HTTP/1.1 ")
                compared += 1
        assert compared > 60


async def test_a_request_behind_quart_carries_no_exception_along(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (_, _, cold):
        with no_collector():
            for target in ("/health/alive", "/", "/nowhere/at/all", "//x"):
                assert await exchange(cold, "GET", target, b"")
            assert count(HTTPException) == 0


async def test_a_hot_post_is_heard_in_the_log_and_the_figures(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (_, hot, cold):
        for port in (hot, cold):
            await exchange(port, "POST", "/rpc", b"[", JSON)
        figures = (await exchange(cold, "GET", "/metrics", b"")).decode()
    assert 'regserver_http_requests_total{method="POST",route="/rpc",status="200"} 2.0' in figures
