"""The documents for machines: complete, and true to the routes."""

import json
import re
from pathlib import Path
from typing import Any

from regserver.app import open_app
from regserver.config import Loaded, Secret, Settings
from regserver.config.setting import StoreSection
from regserver.web.http.api_document import is_page
from regserver.web.http.api_table import SCHEMAS, TABLE


async def test_every_route_is_described_or_a_page(tmp_path: Path) -> None:
    store = StoreSection(url=Secret(f"sqlite:{tmp_path / 'x.db'}"))
    async with open_app(Loaded(Settings(store=store), None)) as app:
        routes = [route for route in app.quart.router.routes if not is_page(route)]
        assert set(TABLE) == {f"{route.method} {route.pattern}" for route in routes}
        client = app.quart.test_client()
        openapi = json.loads(await (await client.get("/openapi.json")).get_data())
        asyncapi = json.loads(await (await client.get("/asyncapi.json")).get_data())
    operations = [operation for path in openapi["paths"].values() for operation in path.values()]
    assert len(operations) == len(TABLE)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, methods in openapi["paths"].items():
        for operation in methods.values():
            wanted = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"]
            assert wanted == re.findall(r"{(\w+)}", path)
    assert_references_resolve(openapi)
    assert_references_resolve(asyncapi)
    assert set(asyncapi["channels"]["rooms"]["messages"]) == {
        "Resumed",
        "NewPost",
        "RoomCreated",
        "RoomInvitation",
        "NewUsersInRoom",
        "UserLeftRoom",
    }


def assert_references_resolve(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        place: Any = document
        for word in reference.split("/"):
            place = place[word]


def test_no_schema_is_left_over() -> None:
    used = {row.body for row in TABLE.values()} | {
        name for row in TABLE.values() for _, name in row.answers.values()
    }
    used |= {"Error", "DirectoryError", "ListedPost"}
    assert set(SCHEMAS) <= used
