"""The door of the registration steps: JSON-RPC methods on `POST /rpc` and `POST /`."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from regserver.domain import outcome as o
from regserver.endpoint import Request, Response
from regserver.web.http.body import content_type
from regserver.web.http.error_style import ErrorStyle
from regserver.web.http.pipeline import RequestBody, pipeline
from regserver.web.http.route import Route
from regserver.web.steps.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    TOO_MANY_REQUESTS,
    Call,
    ErrorReply,
    Method,
    ResultReply,
    Rpc,
    RpcError,
    invalid_params,
)
from regserver.web.steps.method import StepsMethods
from regserver.web.steps.openrpc import describe
from regserver.web.steps.table import methods
from regserver.web.steps.wire import NamesContact

CONTACTS = ("phone", "email", "identity")


class RpcMessage(RequestBody, frozen=True):
    """A JSON-RPC 2.0 request, or a batch of at most 50; `rpc.discover` describes the methods."""

    media_types: ClassVar[tuple[str, ...]] = (
        "application/json",
        "application/json-rpc",
        "application/jsonrequest",
    )

    wire_type: ClassVar[Any] = Call | list[Call]

    text: bytes


class RpcReplies(Response, frozen=True, kw_only=True):
    """The reply to a request, or those to a batch."""

    wire_type: ClassVar[Any] = ResultReply | ErrorReply | list[ResultReply | ErrorReply]


class StepsStyle(ErrorStyle):
    """Refusals that concern no single call, as JSON-RPC replies with the id null."""

    def body(self, refusal: o.Refusal) -> ErrorReply:
        """The protocol's own error for it."""
        match refusal:
            case o.BadJson():
                error = PARSE_ERROR
            case o.TooManyRequests():
                error = TOO_MANY_REQUESTS
            case o.InternalError() | o.StoreUnavailable():
                error = INTERNAL_ERROR
            case _:
                error = INVALID_REQUEST
        return ErrorReply(None, error.as_wire())


STYLE = StepsStyle()


def exactly_one_contact(method: Method, given: Mapping[str, Any]) -> RpcError | None:
    """Refuses requests that name no contact, or several, whatever else the method takes."""
    if not issubclass(method.params, NamesContact) or sum(name in given for name in CONTACTS) == 1:
        return None
    return invalid_params()


def steps_routes(steps: StepsMethods, take: Callable[[str], float | None]) -> tuple[Route, ...]:
    """take: counts a further call of a client's batch against the routes' limit; None, or the seconds to wait."""
    rpc = Rpc(methods(steps), describe, exactly_one_contact, take)

    async def call(request: Request, _: RpcMessage) -> RpcReplies | None:
        """Register by steps, as JSON-RPC 2.0.

        204 answers what has only notifications in it.
        """
        reply = await rpc.serve(request)
        return None if reply is None else RpcReplies(body=reply)

    endpoint = pipeline(call, read_message)
    return (
        Route("steps.rpc", "POST", "/rpc", endpoint, "rpc", STYLE),
        Route("steps.root", "POST", "/", endpoint, "rpc", STYLE),
    )


def read_message(request: Request) -> RpcMessage | o.BadContentType:
    """The body as it came: what is wrong with it is told in a JSON-RPC reply."""
    declared = content_type(request)
    return RpcMessage(request.body) if declared in {"", *RpcMessage.media_types} else o.BadContentType()
