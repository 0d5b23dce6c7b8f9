"""The three documents for machines pass the validators of those who define the formats, without a warning."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from regserver.app import open_app
from regserver.app.asgi import quart_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.setting import StoreSection
from tests.peer.document_check import complaints

Documents = dict[str, dict[str, Any]]
DISCOVER = {"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}


@pytest.fixture
async def documents(tmp_path: Path) -> AsyncIterator[Documents]:
    """As a client gets them."""
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    async with open_app(Loaded(Settings(store=store), None)) as app:
        client = quart_app(app).test_client()
        yield {
            "openapi": await (await client.get("/openapi.json")).get_json(),
            "asyncapi": await (await client.get("/asyncapi.json")).get_json(),
            "openrpc": (await (await client.post("/rpc", json=DISCOVER)).get_json())["result"],
        }


async def test_the_documents_are_valid(documents: Documents, tmp_path: Path) -> None:
    assert complaints(documents, tmp_path) == []


async def test_the_validators_find_a_fault_in_each(documents: Documents, tmp_path: Path) -> None:
    del documents["openapi"]["info"]["title"]
    documents["asyncapi"]["operations"]["rooms"]["action"] = "listen"
    del documents["openrpc"]["methods"][0]["params"]
    assert {found.document for found in complaints(documents, tmp_path)} == {"openapi", "asyncapi", "openrpc"}
