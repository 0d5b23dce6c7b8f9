"""The door of the registration steps: JSON-RPC methods on `POST /rpc` and `POST /`."""

from collections.abc import Callable, Mapping
from typing import Any

from regserver import errors
from regserver.domain import outcome as o
from regserver.endpoint import Request, Response
from regserver.web.http.answer import NO_CONTENT, refusal_fields
from regserver.web.http.body import content_type
from regserver.web.http.route import Answer, Route
from regserver.web.steps.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    TOO_MANY_REQUESTS,
    Method,
    Rpc,
    RpcError,
    error_body,
    invalid_params,
)
from regserver.web.steps.method import StepsMethods
from regserver.web.steps.openrpc import describe
from regserver.web.steps.table import methods
from regserver.web.steps.wire import NamesContact

CONTACTS = ("phone", "email", "identity")
CONTENT_TYPES = frozenset({"", "application/json", "application/json-rpc", "application/jsonrequest"})


class StepsStyle:
    """Refusals that concern no single call, as JSON-RPC replies with the id null."""

    def refuse(self, refusal: o.Refusal) -> Response:
        match refusal:
            case o.BadJson():
                error = PARSE_ERROR
            case o.TooManyRequests():
                error = TOO_MANY_REQUESTS
            case o.InternalError() | o.StoreUnavailable():
                error = INTERNAL_ERROR
            case _:
                error = INVALID_REQUEST
        return Response(
            status=errors.STATUS[type(refusal)], body=error_body(error), headers=refusal_fields(refusal)
        )


STYLE = StepsStyle()


def exactly_one_contact(method: Method, given: Mapping[str, Any]) -> RpcError | None:
    """Refuses requests that name no contact, or several, whatever else the method takes."""
    if not issubclass(method.params, NamesContact) or sum(name in given for name in CONTACTS) == 1:
        return None
    return invalid_params()


def steps_routes(steps: StepsMethods, take: Callable[[str], float | None]) -> tuple[Route, ...]:
    """take: counts a further call of a client's batch against the routes' limit; None, or the seconds to wait."""
    rpc = Rpc(methods(steps), describe, exactly_one_contact, take)

    async def endpoint(request: Request) -> Answer:
        if content_type(request) not in CONTENT_TYPES:
            return o.BadContentType()
        reply = await rpc.serve(request)
        return NO_CONTENT if reply is None else Response(body=reply)

    return (
        Route("steps.rpc", "POST", "/rpc", endpoint, "rpc", STYLE),
        Route("steps.root", "POST", "/", endpoint, "rpc", STYLE),
    )
