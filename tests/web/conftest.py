"""The three ways to an app in the tests of the doors, and the document that validates all answers."""

import json
from collections.abc import Iterator
from typing import cast

import jsonschema
import pytest

from regserver.endpoint import Request, Response
from regserver.web.http.dispatch import Dispatcher
from regserver.web.http.pipeline import steps_of
from regserver.web.http.route import Match, Route
from regserver.web.steps.jsonrpc import INVALID_REQUEST
from regserver.web.steps.method import StepsMethods
from regserver.web.steps.openrpc import describe
from regserver.web.steps.table import methods
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

    async def recorded(self: Dispatcher, request: Request, match: Match[Route] | None) -> Response:
        response = await respond(self, request, match)
        if match is not None and _is_ours(match.route):
            try:
                _document(match.route).check(match.route.method, match.route.pattern, response)
                _check_rpc(match.route, request, response)
            except (AssertionError, jsonschema.ValidationError) as error:
                faults.append(f"{match.route.name} {response.status}: {error}")
        return response

    monkeypatch.setattr(Dispatcher, "respond", recorded)
    yield
    assert faults == []


def _is_ours(route: Route) -> bool:
    """Endpoints that a test makes up say nothing of what they answer."""
    return route.described and steps_of(route.endpoint)[-1].__module__.startswith("regserver.")


# The functions behind the methods are not called here.
_openrpc = describe(methods(cast("StepsMethods", StepsMethods)))
RPC_ERRORS = {
    method["name"]: {(error["code"], error["message"]) for error in method["errors"]}
    for method in _openrpc["methods"]
}
_documents: dict[str, Described] = {}


def _document(route: Route) -> Described:
    return _documents.setdefault(route.name, Described([route]))


def _check_rpc(route: Route, request: Request, response: Response) -> None:
    """The error of a single call is one that the OpenRPC document names for its method."""
    if not route.name.startswith("steps.") or response.status != 200:
        return
    call, reply = json.loads(request.body or b"0"), json.loads(response.body)
    method = str(call.get("method")).removeprefix("registration.") if isinstance(call, dict) else ""
    if method in RPC_ERRORS and "error" in reply and reply["error"]["code"] != INVALID_REQUEST.code:
        error = reply["error"]["code"], reply["error"]["message"]
        assert error in RPC_ERRORS[method], f"{method} {error}"
