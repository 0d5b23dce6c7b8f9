"""Clients that are generated from the OpenAPI document have every operation, and work."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regserver.domain.account import is_rooms_username
from regserver.web.http.field import NEW_USERNAME
from tests.peer.generated_client import generate_python, typescript_faults
from tests.system.server import local_server


@pytest.fixture
def importable(tmp_path: Path) -> Iterator[None]:
    """The folder of the test is searched for packages; what was found there is forgotten afterwards."""
    sys.path.insert(0, str(tmp_path))
    yield
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "made"]:
        del sys.modules[name]


def plain(name: str) -> str:
    """The generator writes names in its own way."""
    return name.replace("_", "").lower()


async def test_python(tmp_path: Path, importable: None) -> None:
    async with local_server() as (server, http):
        document = (await http.get("/openapi.json")).json()
        (tmp_path / "openapi.json").write_text(json.dumps(document))
        printed = generate_python(tmp_path / "openapi.json", tmp_path / "made")
        assert printed.strip() == f"Generating {tmp_path / 'made'}"
        operations = {each["operationId"] for path in document["paths"].values() for each in path.values()}
        files = {path.stem for path in (tmp_path / "made" / "api").rglob("*.py")} - {"__init__"}
        assert set(map(plain, files)) == set(map(plain, operations))
        made: Any = importlib.import_module("made")
        models: Any = importlib.import_module("made.models")
        sign_up: Any = importlib.import_module("made.api.account.post_login_register")
        client = made.Client(base_url=server.url)
        body = models.SignUp(username="ann", email="ann@example.org", password="a long password")
        async with client as opened:
            opened_account = await sign_up.asyncio(client=opened, body=body)
            taken = await sign_up.asyncio_detailed(client=opened, body=body)
        await talk(made.AuthenticatedClient(base_url=server.url, token=opened_account.token), models)
        assert (taken.status_code, taken.parsed.error) == (409, "UsernameTaken")


async def talk(client: Any, models: Any) -> None:
    """Makes a room, posts, and reads it, each by the generated function."""
    create, post, read = (
        importlib.import_module(f"made.api.rooms.{name}")
        for name in ("post_room_create", "post_room_post_room", "get_room_read_all_room")
    )
    async with client as opened:
        room = (await create.asyncio(client=opened, body=models.NewRoom(name="Kitchen"))).room_id
        posted = await post.asyncio(room, client=opened, body=models.PostDraft(content="Tea?"))
        shown = await read.asyncio(room, client=opened)
    assert [(one.id, one.content) for one in shown.posts] == [(posted.post_id, "Tea?")]


def test_the_documented_pattern_of_a_name_is_the_rule() -> None:
    for name in ("ada", "a-b", "A.b_c", "x" * 32, "ab", "x" * 33, "-ab", "ab-", "a b", "ädä", "ada\n", ""):
        assert (re.search(NEW_USERNAME.replace("$", r"\Z"), name) is not None) == is_rooms_username(name), (
            name
        )


async def test_typescript(tmp_path: Path) -> None:
    async with local_server() as (server, http):
        (tmp_path / "openapi.json").write_text((await http.get("/openapi.json")).text)
        assert await typescript_faults(tmp_path / "openapi.json", server.url) == ""
