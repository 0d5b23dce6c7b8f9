"""The three ways that the tests of the doors go, and the document that all their answers are held against."""

from collections.abc import Iterator

import jsonschema
import pytest

from regserver.endpoint import Request, Response
from regserver.web.http.dispatch import Dispatcher
from regserver.web.http.pipeline import steps_of
from regserver.web.http.route import Match, Route
from tests.serving.conftest import certificate
from tests.web.described import Described
from tests.web.http_client import WAYS, Chosen

__all__ = ["certificate"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, certificate: tuple[str, str]) -> Iterator[None]:
    """Sends what `open_client` opens by each way in turn."""
    Chosen.way, Chosen.certificate = request.param, certificate
    yield
    Chosen.way = "HTTP/1.1"


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Holds every answer of a described route against its document, in whatever test it comes up."""
    respond, faults = Dispatcher.respond, list[str]()

    async def recorded(self: Dispatcher, request: Request, match: Match | None) -> Response:
        response = await respond(self, request, match)
        if match is not None and _is_ours(match.route):
            try:
                _document(match.route).check(match.route.method, match.route.pattern, response)
            except (AssertionError, jsonschema.ValidationError) as error:
                faults.append(f"{match.route.name} {response.status}: {error}")
        return response

    monkeypatch.setattr(Dispatcher, "respond", recorded)
    yield
    assert faults == []


def _is_ours(route: Route) -> bool:
    """Endpoints that a test makes up say nothing of what they answer."""
    return route.described and steps_of(route.endpoint)[-1].__module__.startswith("regserver.")


_documents: dict[str, Described] = {}


def _document(route: Route) -> Described:
    return _documents.setdefault(route.name, Described([route]))
