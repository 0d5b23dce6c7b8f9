"""The door of the registration steps: JSON-RPC methods on `POST /rpc` and `POST /`."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

import msgspec

from regserver.domain import outcome as o
from regserver.endpoint import Request, Response
from regserver.web.http.answer import ErrorStyle
from regserver.web.http.body import content_type
from regserver.web.http.language import LanguageWish
from regserver.web.http.pipeline import RequestBody, pipeline
from regserver.web.http.route import Route
from regserver.web.steps import jsonrpc
from regserver.web.steps.method import StepsMethods
from regserver.web.steps.openrpc import describe
from regserver.web.steps.table import methods
from regserver.web.steps.wire import NamesContact

MEDIA_TYPES = frozenset(("", "application/json", "application/json-rpc", "application/jsonrequest"))
"""Types that JSON-RPC clients declare. The document has the first that is one, since generators know no other."""
CONTACTS = ("phone", "email", "identity")
AnyReply = jsonrpc.ResultReply | jsonrpc.ErrorReply


class RpcMessage(RequestBody, frozen=True):
    """A JSON-RPC 2.0 request, or a batch of at most 50; `rpc.discover` describes the methods."""

    wire_type = jsonrpc.Call | list[jsonrpc.Call]
    beside = (LanguageWish,)  # codes are sent in the language of their receiver

    text: bytes


class RpcReplies(Response, frozen=True, kw_only=True):
    """The reply to a request, or those to a batch."""

    wire_type: ClassVar[Any] = AnyReply | list[AnyReply]


ERRORS: dict[type[o.Refusal], jsonrpc.RpcError] = {
    o.BadJson: jsonrpc.PARSE_ERROR,
    o.TooManyRequests: jsonrpc.TOO_MANY_REQUESTS,
    o.ForeignOrigin: jsonrpc.FOREIGN_ORIGIN,
    o.InternalError: jsonrpc.INTERNAL_ERROR,
    o.StoreUnavailable: jsonrpc.INTERNAL_ERROR,
}
"""The JSON-RPC errors of refusals; all others are INVALID_REQUEST."""


class StepsStyle(ErrorStyle):
    """Refusals that concern no single call, as JSON-RPC replies with the id null."""

    def body(self, refusal: o.Refusal) -> jsonrpc.ErrorReply:
        """The JSON-RPC error of a refusal."""
        return jsonrpc.ErrorReply(None, ERRORS.get(type(refusal), jsonrpc.INVALID_REQUEST).as_wire())


STYLE = StepsStyle()


def exactly_one_contact(method: jsonrpc.Method, given: Mapping[str, Any]) -> jsonrpc.RpcError | None:
    """Refuses calls of methods with a contact that name none, or several: by the one that is missing, or too many."""
    taken = _contacts(method.params)
    if not taken:
        return None
    named = [name for name in CONTACTS if name in given]
    if len(named) == 1:
        return None
    spare = [name for name in named if name not in taken] or named[1:]
    return jsonrpc.invalid_params((spare or taken)[0], taken if len(taken) > 1 else ())


@cache
def _contacts(params: type[msgspec.Struct]) -> tuple[str, ...]:
    """The contacts of which a method takes one; none for a method without a contact."""
    if not issubclass(params, NamesContact):
        return ()
    return tuple(name for name in CONTACTS if name in params.__struct_fields__)


def steps_routes(steps: StepsMethods, take: Callable[[str], float | None]) -> tuple[Route, ...]:
    """The routes of the steps. take: counts a further call of a client's batch; None, or the seconds to wait."""
    rpc = jsonrpc.Rpc(methods(steps), describe, exactly_one_contact, take)

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
    """The body, undecoded: its faults are answered in a JSON-RPC reply."""
    declared = content_type(request)
    is_readable = not request.body or declared in MEDIA_TYPES
    return RpcMessage(request.body) if is_readable else o.BadContentType()


async def discover(routes: Iterable[Route]) -> bytes:
    """The OpenRPC document as these routes give it to clients; one without methods where they have no steps."""
    call = next((route.endpoint for route in routes if route.name == "steps.rpc"), None)
    if call is None:
        return msgspec.json.encode(describe(()))
    asked = {"jsonrpc": jsonrpc.VERSION, "id": 1, "method": jsonrpc.DISCOVER}
    answer = await call(Request(method="POST", path="/rpc", body=msgspec.json.encode(asked)))
    assert isinstance(answer, Response)  # noqa: S101  (it has a body)
    return bytes(msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])["result"])
