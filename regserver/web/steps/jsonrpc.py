"""JSON-RPC 2.0 over HTTP POST (https://www.jsonrpc.org/specification).

    bytes → JSON → batch or single → request object → method → typed parameters → call → reply, or none

Parameters are given by name; null is the same as absent. An application error is a value, `RpcError`. A bug or a fault of the
store gives a reply with code 500 for that call alone, so that a batch continues.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, final

import msgspec
import trio
from msgspec import UNSET, Meta, UnsetType

from regserver.domain.outcome import ForeignOrigin
from regserver.endpoint import Request
from regserver.ports.store import StoreFault

log = logging.getLogger("regserver.fault")

VERSION = "2.0"
MAX_BATCH = 50
PREFIX = "registration."
DISCOVER = "rpc.discover"
NUL = rb"\u0000"
"""How JSON writes it."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_FIELD = re.compile(r"field `(\w+)`|\$\.(\w+)")


@final
class RpcError(msgspec.Struct, frozen=True):
    """The value of `error`. beside: members next to code and message, for old clients."""

    code: int
    message: str
    data: Mapping[str, Any] | None = None
    beside: Mapping[str, Any] = {}

    def as_wire(self) -> dict[str, Any]:
        """The value of `error`."""
        wire: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            wire["data"] = self.data
        return wire | dict(self.beside)


class Call(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag=VERSION):
    """A request as the protocol has it. Without an id it is a notification, and gets no reply."""

    method: Annotated[str, Meta(examples=["getState"])]
    params: Annotated[dict[str, Any], Meta(examples=[{"phone": "+380000000000"}])] | None = None
    id: Annotated[str | int | float | UnsetType | None, Meta(examples=[1])] = UNSET


class RpcReply(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag=VERSION):
    """Base of replies. id: that of the request; null where it is unknown."""

    id: Annotated[str | int | float | None, Meta(examples=[1])]


class ResultReply(RpcReply, frozen=True):
    """The reply to a call that succeeded."""

    result: Annotated[Any, Meta(examples=[{"currentState": "verify"}])]


class ErrorReply(RpcReply, frozen=True):
    """The reply to a call that did not."""

    error: Annotated[dict[str, Any], Meta(examples=[{"code": -32602, "message": "Invalid params"}])]


PARSE_ERROR = RpcError(-32700, "Parse error")
INVALID_REQUEST = RpcError(-32600, "Invalid Request")
BATCH_TOO_LONG = RpcError(-32600, "Invalid Request", {"maxBatch": MAX_BATCH})
METHOD_NOT_FOUND = RpcError(-32601, "Method not found")
TOO_MANY_REQUESTS = RpcError(429, "Too Many Requests")
FOREIGN_ORIGIN = RpcError(403, "Foreign Origin", {"hint": ForeignOrigin.hint})
INTERNAL_ERROR = RpcError(500, "Internal Service Error")


def invalid_params(parameter: str | None = None, one_of: Sequence[str] = ()) -> RpcError:
    """The error of wrong parameters.

    parameter: the name of the wrong one; its value is never repeated. one_of: the parameters of which exactly one is wanted.
    """
    data: dict[str, Any] = {"parameter": parameter} if parameter else {}
    if one_of:
        data["oneOf"] = list(one_of)
    return RpcError(-32602, "Invalid params", data or None)


Caller = Callable[[Any, Request], Awaitable[Any]]


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method. call: takes the decoded `params` and the HTTP request; returns a `result` or an RpcError."""

    name: str
    summary: str
    params: type[msgspec.Struct]
    result: type[msgspec.Struct]
    call: Caller
    errors: tuple[RpcError, ...] = ()


# Tuples, since a union is made anew each time.
_NO_ID = (bool, list, dict)
_PARAMS = (dict, list, type(None))


class Rpc:
    """Serves a fixed set of methods, and their description as rpc.discover.

    check: looks at the members of a request's `params` as they came, before they are decoded.
    take: counts one call of a client; None, or the seconds to wait. The first call of a body was
    counted with its request; here the others of a batch are.
    """

    def __init__(
        self,
        methods: Iterable[Method],
        describe: Callable[[Iterable[Method]], dict[str, Any]],
        check: Callable[[Method, Mapping[str, Any]], RpcError | None] = lambda method, params: None,
        take: Callable[[str], float | None] = lambda client: None,
    ) -> None:
        self.methods = {method.name: method for method in methods}
        self._describe = describe
        self._description: msgspec.Raw | None = None
        self._check = check
        self._take = take

    async def serve(self, request: Request) -> bytes | None:
        """The reply to a body; None for notifications only."""
        try:
            message = _decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _encode(_reply(None, PARSE_ERROR))
        if not isinstance(message, list):
            reply = await self._one(message, request)
            return None if reply is None else _encode(reply)
        if not 0 < len(message) <= MAX_BATCH:
            return _encode(_reply(None, BATCH_TOO_LONG if message else INVALID_REQUEST))
        replies = []
        described = 0
        for position, item in enumerate(message):
            # The description is longer than a request by far: one in a batch, as in a body without one.
            described += isinstance(item, dict) and item.get("method") == DISCOVER
            limited = position > 0 and (self._take(request.client) is not None or _repeats(item, described))
            if (reply := await self._one(item, request, limited=limited)) is not None:
                replies.append(reply)
        return _encode(replies) if replies else None

    async def _described(self) -> msgspec.Raw:
        """The description, made when it is first asked for: 15 ms in a thread."""
        if self._description is None:
            document = await trio.to_thread.run_sync(self._describe, self.methods.values())
            self._description = msgspec.Raw(_encode(document))
        return self._description

    async def _one(self, message: object, request: Request, *, limited: bool = False) -> RpcReply | None:
        if not isinstance(message, dict):
            return _reply(None, INVALID_REQUEST)
        identity = message.get("id")
        if isinstance(identity, _NO_ID):
            return _reply(None, INVALID_REQUEST)
        method, params = message.get("method"), message.get("params")
        well_formed = message.get("jsonrpc") == VERSION and isinstance(method, str)
        if not well_formed or not isinstance(params, _PARAMS):
            return _reply(identity, INVALID_REQUEST)
        outcome = TOO_MANY_REQUESTS if limited else await self._call(str(method), params, request)
        return _reply(identity, outcome) if "id" in message else None

    async def _call(self, name: str, params: dict[str, Any] | list[Any] | None, request: Request) -> Any:
        if name == DISCOVER:
            return await self._described()
        method = self.methods.get(name.removeprefix(PREFIX))
        if method is None:
            return METHOD_NOT_FOUND
        if isinstance(params, list):
            return invalid_params()
        given = params or {}
        if None in given.values():
            given = {key: value for key, value in given.items() if value is not None}
        # Not every store can write it, and no parameter means anything with it.
        if request.body.find(NUL) >= 0 and (
            spoiled := next(filter(lambda key: _has_nul(given[key]), given), None)
        ):
            return invalid_params(spoiled)
        if (refusal := self._check(method, given)) is not None:
            return refusal
        try:
            decoded = msgspec.convert(given, method.params)
        except msgspec.ValidationError as error:
            return invalid_params(_named(error))
        try:
            return await method.call(decoded, request)
        except StoreFault as fault:
            log.error("the store failed: %s", fault)
        except Exception:
            log.exception("a bug in %s", method.name)
        return INTERNAL_ERROR


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nul, value.values()))
    return any(map(_has_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def _repeats(item: object, described: int) -> bool:
    return described > 1 and isinstance(item, dict) and item.get("method") == DISCOVER


def _reply(identity: Any, outcome: Any) -> RpcReply:
    if type(outcome) is RpcError:
        return ErrorReply(identity, outcome.as_wire())
    return ResultReply(identity, outcome)


def _named(error: msgspec.ValidationError) -> str | None:
    """The name of the wrong parameter. The error's text is not used, since it may contain the value."""
    text = str(error)
    place = text.rpartition(" - at `")[2] if " - at `" in text else text
    found = _FIELD.search(text) if text.startswith("Object missing") else _FIELD.search(place)
    return next((group for group in found.groups() if group), None) if found else None
