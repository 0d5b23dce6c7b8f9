"""The router: exact words before parameters, optional slashes, HEAD."""

from collections.abc import Mapping
from typing import Any

import pytest

from regserver.endpoint import Request, Response, SocketSession
from regserver.web.http.answer import NAMED
from regserver.web.http.route import Match, Route, SocketRoute
from regserver.web.http.router import Router


async def endpoint(request: Request) -> Response:
    return Response()


def route(method: str, pattern: str) -> Route:
    return Route(f"{method} {pattern}", method, pattern, endpoint, "read", NAMED)


ROUTER = Router(
    [
        route("GET", "/"),
        route("POST", "/"),
        route("GET", "/login/info"),
        route("POST", "/login"),
        route("GET", "/room/info/{room}"),
        route("GET", "/{name}/check"),
        route("GET", "/{challenge}/confirm"),
        route("HEAD", "/{challenge}/confirm"),
        route("GET", "/room/check"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "pattern", "params"),
    [
        ("GET", "/", "/", {}),
        ("POST", "/", "/", {}),
        ("GET", "/login/info", "/login/info", {}),
        ("GET", "/login/info/", "/login/info", {}),
        ("HEAD", "/login/info", "/login/info", {}),
        ("GET", "/room/info/12/", "/room/info/{room}", {"room": "12"}),
        ("GET", "/alice/check", "/{name}/check", {"name": "alice"}),
        ("GET", "/room/check", "/room/check", {}),
        ("GET", "/login/check", "/{name}/check", {"name": "login"}),
        ("GET", "/é/check", "/{name}/check", {"name": "é"}),
    ],
)
def test_matches(method: str, path: str, pattern: str, params: dict[str, str]) -> None:
    match = ROUTER.match(method, path)
    assert match is not None
    assert (match.route.pattern, match.params) == (pattern, params)


def test_what_is_remembered_of_a_path_ends_when_a_route_is_added() -> None:
    router = Router([route("GET", "/{name}/check")])
    for path in ("/room/check", "/" + "x" * 200 + "/check"):
        for _ in range(2):
            match = router.match("GET", path)
            assert match is not None
            assert match.params == {"name": path.split("/")[1]}
    router.add([route("GET", "/room/check")])
    match = router.match("GET", "/room/check")
    assert match is not None
    assert (match.route.pattern, match.params) == ("/room/check", {})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "//"),
        ("GET", "//check"),
        ("GET", "/login/info//"),
        ("GET", "/login"),
        ("DELETE", "/"),
        ("GET", "/room/info/"),
        ("GET", "/room/info/1/2"),
        ("get", "/login/info"),
        ("GET", "login/info"),
        ("OPTIONS", "*"),
    ],
)
def test_does_not_match(method: str, path: str) -> None:
    assert ROUTER.match(method, path) is None


def test_head_prefers_its_own_route() -> None:
    match = ROUTER.match("HEAD", "/abcde/confirm")
    assert match is not None
    assert match.route.method == "HEAD"


def test_methods_of_a_path() -> None:
    assert ROUTER.methods("/") == ["GET", "HEAD", "POST"]
    assert ROUTER.methods("/nowhere") == []


def test_two_routes_for_one_place_are_a_bug() -> None:
    with pytest.raises(ValueError, match="two routes"):
        Router([route("GET", "/a/{x}"), route("GET", "/a/{y}")])


def test_the_map_shows_every_route_by_name() -> None:
    async def handler(session: SocketSession, params: Mapping[str, str]) -> None:
        raise NotImplementedError

    router = Router(
        [route("POST", "/room/post/{room}")], [SocketRoute("watch", "/register/{id}", handler, "socket")]
    )
    http, socket = router.map.iter_rules()
    assert (http.endpoint, http.rule, http.methods, http.websocket) == (
        "POST /room/post/{room}",
        "/room/post/<room>",
        {"POST"},
        False,
    )
    assert (socket.endpoint, socket.rule, socket.websocket) == ("watch", "/register/<id>", True)
    assert router.match("GET", "/register/1") is None
    assert router.match_socket("/room/post/1") is None
    found = router.match_socket("/register/1/")
    assert found is not None
    assert found.params == {"id": "1"}


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="two routes"):
        Router([route("GET", "/a"), route("GET", "/a/")], []).add(
            [Route("GET /a", "POST", "/b", endpoint, "read", NAMED)]
        )


def test_a_path_with_a_secret_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    router = Router([route("GET", "/{challenge}/confirm"), route("GET", "/{name}/check")])
    searched: list[str] = []
    search = router._search

    def counted(routes: Any, path: str, **options: Any) -> Match[Route] | None:
        searched.append(path)
        return search(routes, path, **options)

    monkeypatch.setattr(router, "_search", counted)
    for path in ("/4f9d2b7c/confirm", "/alice/check", "/nowhere") * 2:
        router.match("GET", path)
    assert searched.count("/alice/check") == 1
    assert searched.count("/4f9d2b7c/confirm") == searched.count("/nowhere") == 2
