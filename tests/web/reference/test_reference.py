"""The reference without a browser: it has all that the documents have, and its pages are kept for a few addresses alone."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from regserver import errors
from regserver.app import App, open_app
from regserver.app.asgi import quart_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.setting import ServerSection, StoreSection
from regserver.web.directory.message import FAULT_IDS, MESSAGES
from regserver.web.steps.wire import REPLIES

DISCOVER = {"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}
HOST = {"host": "reg.example.org"}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    async with open_app(Loaded(Settings(store=store), None)) as app:
        yield app


async def _text(app: App, path: str, headers: dict[str, str] | None = None) -> str:
    answer = await quart_app(app).test_client().get(path, headers=headers or HOST)
    assert answer.status_code == 200
    return str(await answer.get_data(as_text=True))


def _names(responses: dict[str, Any]) -> set[str]:
    """The refusals of an operation, as the document names them."""
    return {
        name
        for status, response in responses.items()
        if int(status) >= 400
        for media in response.get("content", {}).values()
        for name in media.get("examples", {})
    }


async def test_everything_that_the_documents_have_has_its_place(app: App) -> None:
    client = quart_app(app).test_client()
    openapi = await (await client.get("/openapi.json")).get_json()
    asyncapi = await (await client.get("/asyncapi.json")).get_json()
    openrpc = (await (await client.post("/rpc", json=DISCOVER)).get_json())["result"]
    operations = [each for path in openapi["paths"].values() for each in path.values()]
    wanted = {each["operationId"] for each in operations}
    wanted |= {name for each in operations for name in _names(each["responses"])}
    wanted |= {*openapi["x-elsewhere"], *MESSAGES}
    wanted |= set(asyncapi["components"]["messages"]) | {f"channel-{name}" for name in asyncapi["channels"]}
    wanted |= {f"close-{code}" for code in asyncapi["x-close-codes"]}
    wanted |= {f"method-{method['name']}" for method in openrpc["methods"]}
    wanted |= {str(error["code"]) for method in openrpc["methods"] for error in method["errors"]}
    page = await _text(app, "/docs")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert wanted - set(ids) == set()
    assert set(re.findall(r'href="#([^"]+)"', page)) - set(ids) == set()
    brief = await _text(app, "/llms.txt")
    assert {each["operationId"] for each in operations} <= set(re.findall(r"/docs#(\w+)\)", brief))
    assert set(re.findall(r"/docs#([\w-]+)\)", brief)) - set(ids) == set()


async def test_what_is_answered_without_a_route_is_told_as_most_routes_word_it(app: App) -> None:
    """Not as the style that a set of them has last, which is another one after each start."""
    openapi = await (await quart_app(app).test_client().get("/openapi.json")).get_json()
    named = openapi["x-elsewhere"]["RouteNotFound"]
    assert (named["status"], named["example"]["error"]) == (404, "RouteNotFound")


async def test_it_is_for_the_address_at_which_it_was_asked_for(app: App) -> None:
    page = await _text(app, "/docs")
    assert "curl -si http://reg.example.org/health/alive" in page
    assert "new WebSocket(&#34;ws://reg.example.org/register/" in page
    assert "@base@" not in page
    assert "@socket@" not in page
    other = await _text(app, "/docs", {"host": "[::1]:8080"})
    assert "http://[::1]:8080/login" in other
    odd = await _text(app, "/llms.txt", {"host": "a<b>.example"})
    assert "(http://localhost/docs)" in odd


async def test_nothing_of_it_is_elsewhere(app: App) -> None:
    page = await _text(app, "/docs")
    answer = await quart_app(app).test_client().get("/docs", headers=HOST)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';")
    sources = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert [source for source in sources if "//" in source or source.startswith("/")] == []
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)", page)
    for source in {source for source in sources if source.startswith("docs/")}:
        file = await quart_app(app).test_client().get(f"/{source}")
        assert (file.status_code, file.headers["cache-control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )
    assert (await quart_app(app).test_client().get("/docs/static/x/nothing.js")).status_code == 404
    slashed = await quart_app(app).test_client().get("/docs/")
    assert (slashed.status_code, slashed.headers["location"]) == (308, "../docs")


async def test_it_is_kept_compressed_for_a_few_addresses(app: App) -> None:
    client = quart_app(app).test_client()
    wish = {"accept-encoding": "gzip"}
    first = await client.get("/docs", headers={**HOST, **wish})
    assert first.headers["content-encoding"] == "gzip"
    packed = await first.get_data(as_text=False)
    assert len(packed) < 64 * 1024
    for number in range(40):
        answer = await client.get("/docs", headers={"host": f"host{number}.example", **wish})
        data = await answer.get_data(as_text=False)
        if answer.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        assert f"http://host{number}.example/login".encode() in data
    assert "content-encoding" not in answer.headers
    again = await client.get("/docs", headers={**HOST, **wish, "if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("method", "path", "place"),
    [
        ("GET", "/login/info", "<../docs#MissingAuth>"),
        ("GET", "/room/info/x", "<../../docs#MissingAuth>"),
        ("POST", "/login", "<docs#BadJson>"),
        ("GET", "/nothing/here/at/all", "<../../../docs#RouteNotFound>"),
        ("GET", "/a/check", "<../docs#INVALID_USER_NAME>"),
        ("DELETE", "/alice/check", "<../docs#METHOD_NOT_ALLOWED>"),
        ("DELETE", "/rpc", "<docs#MethodNotAllowed>"),
        ("GET", "/room/websocket", "<../docs#UpgradeRequired>"),
    ],
)
async def test_a_refusal_says_where_it_is_explained(app: App, method: str, path: str, place: str) -> None:
    answer = await quart_app(app).test_client().open(path, method=method, json=None)
    assert answer.headers["link"] == f'{place}; rel="help"'
    assert f'id="{place.partition("#")[2].rstrip(">")}"' in await _text(app, "/docs")


async def test_every_name_of_an_error_has_its_place(app: App) -> None:
    """So that no answer's Link leads nowhere, whoever may get it."""
    names = {kind.wire_name or kind.__name__ for kind in errors.STATUS}
    names |= {*FAULT_IDS.values(), *(str(code) for code, _ in REPLIES.values())}
    ids = set(re.findall(r'\bid="([^"]+)"', await _text(app, "/docs")))
    assert names - ids == set()


async def test_only_refusals_of_short_paths_do(app: App) -> None:
    client = quart_app(app).test_client()
    assert "link" not in (await client.get("/health/alive")).headers
    assert "link" not in (await client.get("/" + "x/" * 3000)).headers


async def test_public_url_is_the_address(tmp_path: Path) -> None:
    settings = Settings(
        store=StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}")),
        server=ServerSection(public_url="https://example.org/reg"),
    )
    async with open_app(Loaded(settings, None)) as app:
        page = await _text(app, "/docs")
    assert json.dumps("https://example.org/reg/login").replace('"', "&#34;") in page
    assert "`wss://example.org/reg/room/websocket?ticket=" in page
