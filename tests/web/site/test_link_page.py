"""What pages behind mailed links have in common, without their use cases."""

import json
from collections.abc import Mapping

import pytest

from regserver.endpoint import Request
from regserver.text import Passage
from regserver.web.http.body import Unreadable
from regserver.web.http.route import Route
from regserver.web.site.link_page import LinkState, link_state
from tests.web.http_client import open_routes

pytestmark = pytest.mark.usefixtures("way")

PASSAGES = {
    "pending": Passage(title="Yours?", text="{name} has {email}, but no {thing}."),
    "unknown": Passage(title="No", text="It opens nothing."),
}
LINKS = {"good": {"name": "{email}", "email": "a{name}@example.org"}}


async def _look(token: str) -> Mapping[str, str] | None:
    return LINKS.get(token)


async def _status(request: Request) -> LinkState | Unreadable:
    """As a page has it."""
    return await link_state(request, PASSAGES, _look)


async def test_a_link_is_told_in_the_words_of_its_page() -> None:
    """A name that looks like a place in the text stays as it is."""
    async with open_routes((Route("status", "POST", "/", _status, "read", described=False),)) as client:
        for body, told in (
            (
                {"token": "good"},
                {
                    "state": "pending",
                    "title": "Yours?",
                    "text": "{email} has a{name}@example.org, but no {thing}.",
                },
            ),
            ({"token": "bad"}, {"state": "unknown", "title": "No", "text": "It opens nothing."}),
        ):
            found = await client.ask("POST", "/", json.dumps(body).encode())
            assert (found.status, found.json) == (200, told)
        for spoiled in (b"{}", b'{"token": 5}', b"["):
            assert (await client.ask("POST", "/", spoiled)).status == 400
