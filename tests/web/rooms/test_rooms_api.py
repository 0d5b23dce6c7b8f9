"""The room door on the wire: every route's answer byte by byte, every refusal in order, and arbitrary input."""

import json
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regserver.app import App, open_app
from regserver.app.asgi import quart_app
from regserver.config import Loaded, Secret, Settings, Size
from regserver.config.setting import (
    LimitsSection,
    LoginSection,
    PasswordSection,
    RoomsSection,
    StoreSection,
)
from regserver.domain.room import MAX_POST_BYTES
from regserver.endpoint import MAX_BODY_BYTES
from tests.web.http_client import Client, SocketClosed, open_client

pytestmark = pytest.mark.usefixtures("way")

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TOKEN = re.compile(r"reg[st]_[A-Za-z0-9_-]{43}")


class Answer:
    """A response, with what differs from run to run taken out of its text."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.raw = text
        self.text = TOKEN.sub("TOKEN", MOMENT.sub("MOMENT", text))

    def __eq__(self, other: object) -> bool:
        """Equal to its status and text, as `(200, '{"roomId":1}')`."""
        return (self.status, self.text) == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr((self.status, self.text))

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Door:
    """The app, and whoever has signed up in order: 1, 2, 3, …"""

    def __init__(self, app: App, client: Client) -> None:
        self.app = app
        self._client = client
        self.tokens: dict[str, str] = {}

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str | None = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        fields = {"content-type": "application/json"} if body is not None or data is not None else {}
        if by is not None:
            fields["authorization"] = f"Bearer {self.tokens[by]}"
        if body is not None:
            data = json.dumps(body).encode()
        response = await self._client.ask(method, path, data or b"", fields | (headers or {}))
        return Answer(response.status, response.text)

    async def get(self, path: str, *, by: str | None = None) -> Answer:
        return await self.call("GET", path, by=by)

    async def post(self, path: str, body: object = None, *, by: str | None = None, **more: Any) -> Answer:
        return await self.call("POST", path, body, by=by, **more)

    async def sign_up(self, *names: str) -> None:
        for name in names:
            fields = {"username": name, "email": f"{name}@example.org", "password": "a long password"}
            answer = await self.post("/login/register", fields)
            assert answer.status == 201
            self.tokens[name] = answer.body["token"]

    @asynccontextmanager
    async def listening(self, query: str) -> AsyncIterator[Any]:
        async with self._client.socket(f"/room/websocket{query}") as socket:
            yield socket


@asynccontextmanager
async def open_door(folder: Path, *, query_token: bool = True) -> AsyncIterator[Door]:
    configuration = Settings(
        store=StoreSection(url=Secret(f"sqlite:{folder / 'x.db'}")),
        password=PasswordSection(time_cost=1, memory=Size(1 << 20)),
        limits=LimitsSection(enabled=False),
        rooms=RoomsSection(max_members=3),
        login=LoginSection(query_token=query_token),
    )
    async with open_app(Loaded(configuration, None)) as app, open_client(quart_app(app)) as client:
        yield Door(app, client)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as opened:
        yield opened


async def test_every_route(door: Door) -> None:
    fields = {"username": "Ann", "email": "ann@example.org", "password": "a long password"}
    signed_up = await door.post("/login/register", fields)
    assert signed_up == (201, '{"userId":1,"token":"TOKEN","expiresIn":864000}')
    door.tokens["ann"] = signed_up.body["token"]
    await door.sign_up("bob", "cid")

    async def check(method: str, path: str, body: object, by: str, status: int, text: str) -> None:
        """With and without a trailing slash, where that changes nothing."""
        assert await door.call(method, path, body, by=by) == (status, text)
        if method == "GET" and "?" not in path:
            assert await door.call(method, path + "/", body, by=by) == (status, text)

    await check("POST", "/room/create", {"name": "Tea", "otherUsers": [2]}, "ann", 200, '{"roomId":1}')
    await check("POST", "/room/create/", None, "ann", 200, '{"roomId":2}')
    await check("POST", "/room/invite/1", {"otherUsers": [3, 1]}, "bob", 204, "")
    await check("POST", "/room/post/1", {"content": "with milk 🫖"}, "ann", 200, '{"postId":1}')
    await check("POST", "/room/post/1/", {"content": "without"}, "bob", 200, '{"postId":2}')
    await check(
        "GET",
        "/room/read/1",
        None,
        "cid",
        200,
        '{"post":{"id":1,"user":1,"room":1,"content":"with milk 🫖","createdAt":"MOMENT"}}',
    )
    listed = '{"id":2,"user":2,"username":"bob","room":1,"content":"without","createdAt":"MOMENT"}'
    first = '{"id":1,"user":1,"username":"Ann","room":1,"content":"with milk 🫖","createdAt":"MOMENT"}'
    await check("GET", "/room/readAll/1", None, "cid", 200, f'{{"posts":[{first},{listed}],"more":false}}')
    await check("GET", "/room/readAll/1?limit=1", None, "cid", 200, f'{{"posts":[{listed}],"more":true}}')
    await check("GET", "/room/readAll/1?before=2", None, "cid", 200, f'{{"posts":[{first}],"more":false}}')
    await check("GET", "/room/readAll/1?after=1", None, "cid", 200, f'{{"posts":[{listed}],"more":false}}')
    await check("GET", "/room/readAll/1?after=1&before=2", None, "cid", 400, '{"error":"BadId"}')
    room = '"roomId":1,"name":"Tea","users":[1,2,3],"posts":[1,2],"createdAt":"MOMENT","updatedAt":"MOMENT"'
    await check("GET", "/room/info/1", None, "cid", 200, f'{{"room":{{{room}}}}}')
    await check(
        "GET", "/room/info/1?getLastPost=true", None, "cid", 200, f'{{"room":{{{room},"lastPost":{listed}}}}}'
    )
    await check("POST", "/room/seen/1", {"postId": 1}, "cid", 204, "")
    tea = f'{{"roomId":1,"name":"Tea","users":[1,2,3],"lastPost":{listed},"unread":1}}'
    await check("GET", "/room/list", None, "cid", 200, f'{{"rooms":[{tea}]}}')
    own = '{"roomId":2,"name":"Ann","users":[1],"lastPost":null,"unread":0}'
    await check("GET", "/room/list", None, "ann", 200, f'{{"rooms":[{tea},{own}]}}')
    await check("POST", "/room/leave/2", None, "ann", 204, "")
    await check(
        "GET",
        "/login/info",
        None,
        "ann",
        200,
        '{"user":{"userId":1,"username":"Ann","email":"ann@example.org","emailVerified":false,"rooms":[1],"createdAt":"MOMENT",'
        '"updatedAt":"MOMENT"}}',
    )
    await check("GET", "/login/userId/ann", None, "bob", 200, '{"userId":1}')
    await check("GET", "/login/username/1", None, "bob", 200, '{"username":"Ann"}')
    await check("POST", "/login/ticket", None, "bob", 200, '{"ticket":"TOKEN","expiresIn":30}')
    await check("DELETE", "/login/delete", None, "cid", 204, "")
    await check("GET", "/login/info", None, "cid", 410, '{"error":"UserIsDeleted"}')


async def test_moments_are_the_same_wherever_a_post_is_shown(door: Door) -> None:
    await door.sign_up("ann")
    await door.post("/room/create", by="ann")
    await door.post("/room/post/1", {"content": "x"}, by="ann")
    shown = [
        (await door.get(path, by="ann")).raw
        for path in ("/room/read/1", "/room/readAll/1", "/room/list", "/room/info/1?getLastPost=true")
    ]
    moments = [re.findall(r'"content":"x","createdAt":"([^"]+)"', text) for text in shown]
    assert moments == [moments[0]] * 4


# --- refusals
def posts() -> Iterator[tuple[str, object]]:
    yield "/room/create", {}
    yield "/room/invite/1", {"otherUsers": [1]}
    yield "/room/leave/1", None
    yield "/room/post/1", {"content": "x"}
    yield "/room/seen/1", {"postId": 1}
    yield "/login/ticket", None


GETS = ("/login/info", "/login/userId/ann", "/login/username/1", "/room/list", "/room/info/1", "/room/read/1",
        "/room/readAll/1")  # fmt: skip
CREDENTIALS: tuple[tuple[dict[str, str], int, str], ...] = (
    ({}, 401, "MissingAuth"),
    ({"authorization": "Basic dXNlcjpwYXNz"}, 400, "BadAuthType"),
    ({"authorization": "Bearer"}, 401, "BadToken"),
    ({"authorization": "Bearer nonsense"}, 401, "BadToken"),
    ({"authorization": "Bearer " + "x" * 5000}, 401, "BadToken"),
)


@pytest.mark.parametrize(("headers", "status", "error"), CREDENTIALS)
async def test_credentials_come_before_rooms(
    door: Door, headers: dict[str, str], status: int, error: str
) -> None:
    for path in GETS:
        assert await door.call("GET", path, headers=headers) == (status, f'{{"error":"{error}"}}')
    for path, body in posts():
        assert await door.call("POST", path, body, headers=headers) == (status, f'{{"error":"{error}"}}')
    assert await door.call("DELETE", "/login/delete", headers=headers) == (status, f'{{"error":"{error}"}}')


async def test_bodies_come_before_credentials(door: Door) -> None:
    for path, body, error in (
        ("/room/post/1", {}, "BadPostContent"),
        ("/room/post/1", {"content": 7}, "BadPostContent"),
        ("/room/post/1", {"content": "x" * (MAX_POST_BYTES + 1)}, "BadPostContent"),
        ("/room/post/1", {"content": "a\0b"}, "BadPostContent"),
        ("/room/create", {"otherUsers": "2"}, "BadOtherUsers"),
        ("/room/create", {"otherUsers": {}}, "BadOtherUsers"),
        ("/room/create", {"otherUsers": [True]}, "BadId"),
        ("/room/create", {"otherUsers": [2.0]}, "BadId"),
        ("/room/create", {"otherUsers": [2**53]}, "BadId"),
        ("/room/create", {"name": 7}, "BadRoomName"),
        ("/room/create", {"name": "x" * 101}, "BadRoomName"),
        ("/room/invite/1", {}, "BadOtherUsers"),
        ("/room/invite/1", {"otherUsers": []}, "BadOtherUsers"),
        ("/room/invite/1", {"otherUsers": None}, "BadOtherUsers"),
        ("/room/seen/1", {"postId": "1"}, "BadId"),
        ("/room/seen/1", {}, "BadId"),
    ):
        assert await door.post(path, body) == (400, f'{{"error":"{error}"}}'), (path, body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/"),
        ("GET", "/room/create"),
        ("DELETE", "/login"),
    ],
)
async def test_another_method_is_an_unknown_route_here(door: Door, method: str, path: str) -> None:
    assert await door.call(method, path) == (404, '{"error":"RouteNotFound"}')


async def test_the_address_of_the_socket_asks_for_an_upgrade(door: Door) -> None:
    for path in ("/room/websocket", "/room/websocket/"):
        answer = await door.call("GET", path)
        assert (answer.status, answer.raw.partition(",")[0]) == (426, '{"error":"UpgradeRequired"')
    assert await door.call("GET", "/login/info") == (401, '{"error":"MissingAuth"}')


async def test_sign_up_is_checked_in_order(door: Door) -> None:
    await door.sign_up("ann")
    good = {"username": "bob", "email": "bob@example.org", "password": "a long password"}
    for change, status, error in (
        ({"email": "x", "username": "?", "password": ""}, 400, "BadEmail"),
        ({"email": None}, 400, "BadEmail"),
        ({"username": "?", "password": ""}, 400, "BadUsername"),
        ({"username": 7}, 400, "BadUsername"),
        ({"password": "short"}, 400, "BadPassword"),
        ({"password": ["x"] * 10}, 400, "BadPassword"),
        ({"username": "ANN", "email": "ann@example.org"}, 409, "UsernameTaken"),
    ):
        answer = await door.post("/login/register", good | change)
        assert answer == (status, f'{{"error":"{error}"}}'), change


@pytest.mark.parametrize(
    ("data", "kind", "status", "error"),
    [
        (b"", "application/json", 400, "BadJson"),
        (b"{", "application/json", 400, "BadJson"),
        (b"[]", "application/json", 400, "BadJson"),
        (b"null", "application/json", 400, "BadJson"),
        (b'{"content": NaN}', "application/json", 400, "BadJson"),
        (b'{"content": "\xff"}', "application/json", 400, "BadJson"),
        (b'{"content": "\\ud800"}', "application/json", 400, "BadJson"),
        (b"[" * 30_000, "application/json", 400, "BadJson"),
        (b'{"content": "x"}', "text/plain", 415, "BadContentType"),
        (b"content=x", "application/x-www-form-urlencoded", 415, "BadContentType"),
        (b"x" * (MAX_BODY_BYTES + 1), "application/json", 413, "BodyTooLarge"),
    ],
)
async def test_malformed_bodies(door: Door, data: bytes, kind: str, status: int, error: str) -> None:
    answer = await door.post("/room/post/1", data=data, headers={"content-type": kind})
    assert answer == (status, f'{{"error":"{error}"}}')


IDS = ["0", "01", "-1", "+1", "1.0", "1e3", "x", "null", "9007199254740992", "99999999999999999999", "%201", "1%00",
       "%D9%A1", "1;2", "1'--", "a" * 300]  # fmt: skip


@pytest.mark.parametrize("text", IDS)
async def test_what_is_no_id(door: Door, text: str) -> None:
    await door.sign_up("ann")
    for path in ("/room/info/", "/room/readAll/", "/room/read/", "/login/username/"):
        assert await door.get(path + text, by="ann") == (400, '{"error":"BadId"}')
    for path, body in posts():
        if path.endswith("/1"):
            answer = await door.post(path.removesuffix("1") + text, body, by="ann")
            assert answer == (400, '{"error":"BadId"}')
    for query in (f"before={text}", f"after={text}", f"limit={text}"):
        await door.post("/room/create", by="ann")
        assert await door.get(f"/room/readAll/1?{query}", by="ann") == (400, '{"error":"BadId"}')


async def test_rooms_are_bounded(door: Door) -> None:
    await door.sign_up("ann", "bob", "cid", "dan")
    too_many = (400, '{"error":"TooManyUsers"}')
    assert await door.post("/room/create", {"otherUsers": [2, 3, 4]}, by="ann") == too_many
    await door.post("/room/create", {"otherUsers": [2, 3]}, by="ann")
    assert await door.post("/room/invite/1", {"otherUsers": [4]}, by="ann") == too_many


async def test_missing_users_are_named(door: Door) -> None:
    await door.sign_up("ann")
    answer = await door.post("/room/create", {"otherUsers": [9, 1, 8, 9]}, by="ann")
    assert answer == (404, '{"error":"AccountNotFound","missingUsers":[9,8]}')
    assert await door.get("/login/username/9", by="ann") == (404, '{"error":"AccountNotFound"}')


async def test_a_deleted_user_has_no_name_anywhere(door: Door) -> None:
    for name in ("ann", "bob"):
        await door.sign_up(name)
    await door.post("/room/create", {"otherUsers": [2]}, by="ann")
    await door.post("/room/post/1", {"content": "Hello"}, by="bob")
    assert (await door.call("DELETE", "/login/delete", by="bob")).status == 204
    gone = (404, '{"error":"AccountNotFound"}')
    assert await door.get("/login/username/2", by="ann") == gone
    assert await door.get("/login/userId/bob", by="ann") == gone
    for path in ("/room/list", "/room/info/1?getLastPost=true", "/room/readAll/1", "/room/read/1"):
        answer = await door.get(path, by="ann")
        assert answer.status == 200
        assert "bob" not in answer.raw


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "name", "otherUsers", "postId"]) | st.text(), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=5)
@given(bodies=st.lists(json_values, min_size=10, max_size=40))
async def test_any_json_is_answered(bodies: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_door(Path(folder)) as door:
            await door.sign_up("ann")
            await door.post("/room/create", by="ann")
            for body in bodies:
                for path in (
                    "/room/create",
                    "/room/invite/1",
                    "/room/post/1",
                    "/room/seen/1",
                    "/login/register",
                ):
                    answer = await door.post(path, data=json.dumps(body).encode(), by="ann")
                    assert answer.status in {200, 201, 204, 400, 404, 409}
                    assert answer.status < 400 or set(answer.body) <= {"error", "missingUsers"}


@pytest.mark.parametrize(
    "content", ["🫖", "x" * MAX_POST_BYTES, "\x01\x1f", "\u2028</script>", "é" * 8192, "\n.", '"\\']
)
async def test_posts_come_back_as_they_were(door: Door, content: str) -> None:
    await door.sign_up("ann")
    await door.post("/room/create", by="ann")
    assert (await door.post("/room/post/1", {"content": content}, by="ann")).status == 200
    assert (await door.get("/room/read/1", by="ann")).body["post"]["content"] == content


# --- keys of requests
async def test_a_key_makes_a_repetition_safe(door: Door) -> None:
    await door.sign_up("ann", "bob")
    key = {"idempotency-key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
    quoted = {"idempotency-key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
    first = await door.post("/room/create", {"name": "Tea", "otherUsers": [2]}, by="ann", headers=key)
    assert first == (200, '{"roomId":1}')
    for path, headers in (("/room/create", key), ("/room/create/", quoted)):
        again = await door.post(path, {"otherUsers": [2], "name": "Tea"}, by="ann", headers=headers)
        assert again == (200, '{"roomId":1}')
    conflict = (409, '{"error":"IdempotencyConflict"}')
    assert await door.post("/room/create", {"name": "Coffee"}, by="ann", headers=key) == conflict
    assert await door.post("/room/post/1", {"content": "x"}, by="ann", headers=key) == conflict
    assert await door.post("/room/post/1", {"content": "x"}, by="bob", headers=key) == (200, '{"postId":1}')
    assert await door.post("/room/leave/1", by="bob", headers={"idempotency-key": "l"}) == (204, "")
    assert await door.post("/room/leave/1", by="bob", headers={"idempotency-key": "l"}) == (204, "")
    assert await door.post("/room/leave/1", by="bob") == (401, '{"error":"NotInRoom"}')


@pytest.mark.parametrize("key", ["", " ", '""', "a b", "x" * 256, "a,\tb"])
async def test_bad_keys(door: Door, key: str) -> None:
    answer = await door.post("/room/post/1", {"content": "x"}, headers={"idempotency-key": key})
    assert answer == (400, '{"error":"BadIdempotencyKey"}')


async def test_a_sign_up_may_be_repeated(door: Door) -> None:
    fields = {"username": "ann", "email": "ann@example.org", "password": "a long password"}
    key = {"idempotency-key": "k"}
    for _ in range(2):
        answer = await door.post("/login/register", fields, headers=key)
        assert answer == (201, '{"userId":1,"token":"TOKEN","expiresIn":864000}')
    conflict = (409, '{"error":"IdempotencyConflict"}')
    for change in ({"password": "another password"}, {"email": "x@example.org"}):
        assert await door.post("/login/register", fields | change, headers=key) == conflict


# --- the socket
async def refused(door: Door, query: str) -> tuple[str, int]:
    """The bare text frame, and the code that follows."""
    async with door.listening(query) as socket:
        text = await socket.receive()
        with pytest.raises(SocketClosed) as caught:
            await socket.receive()
    return text, caught.value.args[0]


async def test_socket_refusals(door: Door) -> None:
    await door.sign_up("ann")
    for query, error in (
        ("", "MissingToken"),
        ("?token=", "MissingToken"),
        ("?since=", "MissingToken"),
        ("?token=x&since=x", "BadToken"),
        ("?ticket=x", "BadToken"),
        (f"?token={door.tokens['ann']}&since=x", "BadCursor"),
    ):
        assert await refused(door, query) == (error, 1008)


async def test_tokens_in_the_query_may_be_switched_off(tmp_path: Path) -> None:
    async with open_door(tmp_path, query_token=False) as door:
        await door.sign_up("ann")
        assert await refused(door, f"?token={door.tokens['ann']}") == ("MissingToken", 1008)
        ticket = (await door.post("/login/ticket", by="ann")).body["ticket"]
        async with door.listening(f"?ticket={ticket}&since=") as socket:
            assert (await socket.receive_json())["recovered"] is True


async def test_frames(door: Door) -> None:
    await door.sign_up("ann", "bob")
    tokens = door.tokens
    async with (
        door.listening(f"?token={tokens['bob']}") as plain,
        door.listening(f"?token={tokens['bob']}&since=") as resumable,
    ):
        resumed = await resumable.receive()
        cursor = json.loads(resumed)["cursor"]
        assert resumed == f'{{"type":"Resumed","cursor":"{cursor}","recovered":true,"missed":0}}'
        await door.post("/room/create", {"otherUsers": [2]}, by="ann")
        await door.post("/room/post/1", {"content": "x"}, by="ann")
        for text in (
            '{"type":"RoomCreated","creatorId":1,"roomId":1}',
            '{"type":"NewPost","userId":1,"roomId":1,"postId":1,"content":"x","createdAt":"MOMENT"}',
        ):
            assert MOMENT.sub("MOMENT", await plain.receive()) == text
            with_cursor = MOMENT.sub("MOMENT", await resumable.receive())
            found = json.loads(with_cursor)["cursor"]
            assert with_cursor == f'{text[:-1]},"cursor":"{found}"}}'
