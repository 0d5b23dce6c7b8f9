"""Sign-in and the watching of registrations on the wire."""

import json
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from regserver.app import open_app
from regserver.app.asgi import quart_app
from regserver.config import Loaded, Secret, Settings, Size
from regserver.config.live import LiveFile, LiveHttp, LiveSection
from regserver.config.setting import (
    LimitsSection,
    LoginSection,
    PasswordSection,
    ServerSection,
    StoreSection,
)
from regserver.domain.instant import Duration
from tests.live import Message, check_story
from tests.peer.people_service import DONE, NAME, PeopleService, Person, line, steps
from tests.web.http_client import Client, Reply, open_client

pytestmark = pytest.mark.usefixtures("way")

ROSTER = """
[[user]]
username = "ada"
password = "right"
first_name = "Ada"
last_name = "Lovelace"
delay = "1ms"
steps = ["One", "Two"]
"""
ADA = {"username": "ada", "password": "right"}
CHEAP = PasswordSection(time_cost=1, memory=Size(8 * 1024 * 64))


class Web:
    """The app of one test, and what is asked of it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def login(self, headers: dict[str, str] | None = None, **fields: Any) -> Reply:
        return await self.post("/login", {**ADA, **fields}, headers)

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Reply:
        kind = {"content-type": "application/json"}
        return await self.client.ask("POST", path, json.dumps(body).encode(), kind | (headers or {}))

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.client.ask("GET", path, headers=headers)

    async def begin(self, **fields: Any) -> str:
        """Begins a registration; its path."""
        response = await self.login(**fields)
        assert response.status == 303
        return "/register/" + str(response.fields["location"]).rpartition("/")[2]

    async def watch(self, path: str) -> list[Message]:
        events: list[Message] = []
        async with self.client.socket(path) as socket:
            while not events or events[-1]["eventType"] not in {"FAILURE", "AUTHENTICATION"}:
                events.append(json.loads(await socket.receive()))
        return events

    async def stream(self, path: str, **headers: str) -> Reply:
        return await self.get(f"{path}/events", **headers)


@asynccontextmanager
async def web(folder: Path, live: LiveSection | None = None, **sections: Any) -> AsyncIterator[Web]:
    (folder / "roster.toml").write_text(ROSTER)
    settings = Settings(
        store=StoreSection(url=Secret(f"sqlite:{folder / 'live.db'}")),
        live=live or LiveSection(file=LiveFile(path=str(folder / "roster.toml"))),
        password=CHEAP,
        limits=LimitsSection(enabled=False),
        **sections,
    )
    async with open_app(Loaded(settings, None)) as app, open_client(quart_app(app)) as client:
        yield Web(client)


def over(url: str) -> LiveSection:
    return LiveSection(source="http", http=LiveHttp(url=url, timeout=Duration(5000)))


Sent = tuple[str | None, str | None]


def parsed(body: bytes) -> list[Sent]:
    """The id and data of each event of a stream, as a browser reads it (HTML, 9.2.6)."""
    found: list[Sent] = []
    for block in body.decode().split("\n\n"):
        fields = dict(re.findall(r"(?m)^(id|data): (.*)$", block))
        if "data" in fields:
            found.append((fields.get("id"), fields["data"]))
    return found


# --- POST /login
async def test_a_first_sign_in_is_sent_to_its_registration(tmp_path: Path) -> None:
    async with web(tmp_path) as here:
        response = await here.login()
        assert response.status == 303
        location = response.fields["location"]
        assert re.fullmatch(r"wss?://localhost/register/u-[0-9a-f-]{36}", location)
        assert uuid.UUID(location.rpartition("/u-")[2]).version == 4
        assert response.json == {"location": location}
        assert response.fields["cache-control"] == "no-store"
        events = await here.watch("/register/" + location.rpartition("/")[2])
        check_story(events)
        assert [event["message"] for event in events[:2]] == ["One", "Two"]
        again = await here.login()
        assert again.status == 200
        assert list(again.json) == ["userId", "token", "expiresIn"]


PREFERENCES = [
    ("respond-async", 202),
    ("return=minimal, Respond-Async; wait=5", 202),
    ("wait=5,respond-async", 202),
    ("", 303),
    ("return=minimal", 303),
    ("respond-asynchronously", 303),
]


@pytest.mark.parametrize(("preference", "status"), PREFERENCES)
async def test_browser_code_asks_for_202(tmp_path: Path, preference: str, status: int) -> None:
    async with web(tmp_path) as here:
        response = await here.login(headers={"prefer": preference})
        assert response.status == status
        assert response.json["location"] == response.fields["location"]
        applied = response.fields.get("preference-applied")
        assert applied == ("respond-async" if status == 202 else None)


BASES = [
    ("https://id.example.org", "wss://id.example.org/register/"),
    ("https://example.org/reg/", "wss://example.org/reg/register/"),
    ("http://example.org:8080/a/b", "ws://example.org:8080/a/b/register/"),
]


@pytest.mark.parametrize(("public_url", "prefix"), BASES)
async def test_the_location_starts_with_the_public_address(
    tmp_path: Path, public_url: str, prefix: str
) -> None:
    async with web(tmp_path, server=ServerSection(public_url=public_url)) as here:
        response = await here.login(headers={"host": "evil.example"})
        assert response.fields["location"].startswith(prefix + "u-")


async def test_pages_of_other_sites_may_read_where_to_watch(tmp_path: Path) -> None:
    server = ServerSection(cors_origins=("https://app.example.org",))
    async with web(tmp_path, server=server) as here:
        allowed = await here.login(headers={"origin": "https://app.example.org", "prefer": "respond-async"})
        assert allowed.fields["access-control-allow-origin"] == "https://app.example.org"
        exposed = {name.strip() for name in allowed.fields["access-control-expose-headers"].split(",")}
        assert {"Location", "Retry-After"} <= exposed
        stranger = await here.login(headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in stranger.fields
        asked = await here.client.ask(
            "OPTIONS",
            "/login",
            headers={
                "origin": "https://app.example.org",
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type, prefer",
            },
        )
        assert asked.status == 204
        assert "prefer" in asked.fields["access-control-allow-headers"].lower()


MALFORMED: list[tuple[bytes, str, int, str]] = [
    (b"", "application/json", 400, "BadJson"),
    (b"{", "application/json", 400, "BadJson"),
    (b'["ada", "right"]', "application/json", 400, "BadJson"),
    (b'{"username": "ada"}', "application/json", 400, "BadJson"),
    (b'{"username": "", "password": "x"}', "application/json", 400, "BadJson"),
    (b'{"username": "ada", "password": ""}', "application/json", 400, "BadJson"),
    (b'{"username": "ada", "password": 7}', "application/json", 400, "BadJson"),
    (b'{"username": "ada", "password": null}', "application/json", 400, "BadJson"),
    (b'{"username": "ada", "password": "\\ud800"}', "application/json", 400, "BadJson"),
    (b'{"username": "ada", "password": NaN}', "application/json", 400, "BadJson"),
    (b"username=ada&password=right", "application/x-www-form-urlencoded", 415, "BadContentType"),
    (b'{"username": "ada", "password": "' + b"x" * 70_000 + b'"}', "application/json", 413, "BodyTooLarge"),
    (b'{"username": "ada", "password": "wrong"}', "application/json", 401, "BadCredentials"),
    (b'{"username": "nobody", "password": "x"}', "application/json", 401, "BadCredentials"),
    (b'{"username": "a\\u0000b", "password": "x"}', "application/json", 401, "BadCredentials"),
]


@pytest.mark.parametrize(("body", "kind", "status", "error"), MALFORMED, ids=range(len(MALFORMED)))
async def test_what_is_refused(tmp_path: Path, body: bytes, kind: str, status: int, error: str) -> None:
    async with web(tmp_path) as here:
        response = await here.client.ask("POST", "/user/login/", body, {"content-type": kind})
        assert (response.status, response.json) == (status, {"error": error})


async def test_a_source_that_is_down_is_503(tmp_path: Path) -> None:
    async with PeopleService().listen() as service:
        url = service.url
    async with web(tmp_path, over(url)) as here:
        response = await here.login()
        assert (response.status, response.json) == (503, {"error": "SourceUnavailable"})
        assert int(response.fields["retry-after"]) >= 1


async def test_a_name_of_another_door_is_taken(tmp_path: Path) -> None:
    async with web(tmp_path) as here:
        body = {"username": "Ada", "email": "ada@example.org", "password": "her own password"}
        taken = await here.post("/login/register", body)
        assert (taken.status, taken.json) == (409, {"error": "UsernameTaken"})  # reserved from the start
    async with web(tmp_path, LiveSection(source="none")) as here:
        assert (await here.post("/login/register", body)).status == 201
    async with web(tmp_path) as here:  # the account is older than the row
        response = await here.login()
        assert (response.status, response.json) == (409, {"error": "UsernameTaken"})
        assert (await here.login(password="her own password")).status == 200


async def test_without_live_registration(tmp_path: Path) -> None:
    async with web(tmp_path, LiveSection(source="none"), login=LoginSection()) as here:
        assert (await here.login()).status == 401


# --- watching
async def test_socket_and_stream_tell_the_same_story(tmp_path: Path) -> None:
    async with web(tmp_path) as here:
        path = await here.begin()
        events = await here.watch(path)
        check_story(events)
        response = await here.stream(path)
        assert response.status == 200
        assert response.fields["content-type"] == "text/event-stream"
        assert response.fields["cache-control"] == "no-store"
        assert response.fields["x-accel-buffering"] == "no"
        sent = parsed(response.body)
        assert [json.loads(data or "") for _, data in sent] == events
        assert [identity for identity, _ in sent] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("accepted", "found", "registered"),
    [
        ("", "Your name was found", "Registration complete"),
        ("fr-CH, en;q=0.5", "Votre nom a été trouvé", "Inscription terminée"),
        ("ru,en;q=0.9", "Ваше имя найдено", "Регистрация завершена"),
    ],
)
async def test_all_observers_read_the_language_of_the_sign_in(
    tmp_path: Path, accepted: str, found: str, registered: str
) -> None:
    async with web(tmp_path) as here:
        response = await here.login({"accept-language": accepted})
        path = "/register/" + str(response.fields["location"]).rpartition("/")[2]
        told = [event["message"] for event in await here.watch(path)]
        assert (told[-2], told[-1]) == (found, registered)
        streamed = parsed((await here.stream(path, **{"accept-language": "en"})).body)
        assert [json.loads(data or "")["message"] for _, data in streamed] == told


IDS = [("2", 2), ("4", 4), ("99", 4), ("0", 0), ("-1", 0), ("x", 0), ("", 0), ("9" * 400, 0), ("١", 0)]


@pytest.mark.parametrize(("last", "skipped"), IDS)
async def test_a_stream_goes_on_where_it_was_lost(tmp_path: Path, last: str, skipped: int) -> None:
    async with web(tmp_path) as here:
        path = await here.begin()
        await here.watch(path)
        response = await here.stream(path, **{"last-event-id": last})
        if skipped == 4:  # nothing follows: a browser must not come again
            assert response.status == 204
        else:
            sent = parsed(response.body)
            assert [identity for identity, _ in sent] == [str(n) for n in range(skipped + 1, 5)]


async def test_unknown_registrations(tmp_path: Path) -> None:
    async with web(tmp_path) as here:
        for identity in (f"u-{uuid.uuid4()}", "x", "%00"):
            response = await here.stream(f"/register/{identity}")
            assert (response.status, response.json) == (
                404,
                {"error": "RegistrationNotFound"},
            )


async def test_a_head_request_opens_no_stream(tmp_path: Path) -> None:
    async with web(tmp_path) as here:
        path = await here.begin()
        response = await here.client.ask("HEAD", f"{path}/events")
        assert (response.status, response.body) == (200, b"")
        assert response.fields["content-type"] == "text/event-stream"


async def test_a_stream_is_live_and_counted(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [*steps(1), go, NAME, DONE]))
    async with people.listen(), web(tmp_path, over(people.url)) as here:
        path = await here.begin()
        async with here.client.stream(f"{path}/events") as receive:
            received = b""
            while b"Step 1" not in received:
                received += await receive()
            assert b"NAME" not in received
            pattern = r'(?m)^regserver_sockets\{door="/register/{registration}/events"\} (.*)$'
            metrics = (await here.get("/metrics")).text
            assert re.findall(pattern, metrics) == ["1.0"]
            go.set()
            while b"AUTHENTICATION" not in received:
                received += await receive()
        check_story([json.loads(data or "") for _, data in parsed(received)])


async def test_heartbeats_fill_the_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regserver.web.live.endpoint.HEARTBEAT_SECONDS", 0.01)
    go = trio.Event()
    people = PeopleService(ada=Person("right", [*steps(1), go, NAME, DONE]))
    async with people.listen(), web(tmp_path, over(people.url)) as here:
        path = await here.begin()
        async with here.client.stream(f"{path}/events") as receive:
            received = b""
            while received.count(b"\n:\n\n") < 3:
                received += await receive()
            go.set()
            while b"AUTHENTICATION" not in received:
                received += await receive()
        assert len(parsed(received)) == 3


async def test_the_time_left_is_told_to_those_who_ask(tmp_path: Path) -> None:
    ready, go = trio.Event(), trio.Event()
    script: Sequence[Any] = [line(step=1, totalSteps=2, message="One"), ready, go, NAME, DONE]
    people = PeopleService(ada=Person("right", script), grace=Person("right", script))
    async with people.listen(), web(tmp_path, over(people.url)) as here:
        ready.set()
        first = await here.begin()
        async with here.client.socket(f"{first}?eta=1") as socket:
            event = json.loads(await socket.receive())
            assert list(event)[-1] == "etaSeconds"
            assert event["etaSeconds"] is None
            go.set()
        await here.watch(first)
        body = (await here.get(f"{first}/events?eta=1")).body
        assert [json.loads(data or "")["etaSeconds"] for _, data in parsed(body)] == [0, 0, 0]
        second = await here.begin(username="grace")
        async with here.client.socket(f"{second}?eta=true") as socket:
            assert json.loads(await socket.receive())["etaSeconds"] >= 0
        for query in ("", "?eta=0", "?eta=", "?eta=x"):
            async with here.client.socket(f"{second}{query}") as socket:
                assert "etaSeconds" not in json.loads(await socket.receive())


async def test_streams_are_limited_by_rate(tmp_path: Path) -> None:
    limits = LimitsSection(routes={"socket": "1/1m"})
    settings = Settings(
        store=StoreSection(url=Secret(f"sqlite:{tmp_path / 'live.db'}")),
        live=LiveSection(source="none"),
        limits=limits,
    )
    async with open_app(Loaded(settings, None)) as app, open_client(quart_app(app)) as client:
        statuses = [(await client.ask("GET", "/register/u-1/events")).status for _ in range(2)]
        assert statuses == [404, 429]
