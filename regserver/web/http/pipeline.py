"""Endpoints as pipelines: steps that read and check the request in order, then the use case.

    pipeline(self.post, KeyedStep(read_new_post), bearer)      body, Idempotency-Key, token, then self.post

A step takes the request and returns a value or a refusal. The OpenAPI document is derived from the return types of steps and
use case, so it names exactly the answers and refusals that can happen.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, overload

import msgspec

from regserver import errors
from regserver.domain.idempotency import Idempotency, is_idempotency_key
from regserver.domain.outcome import BadIdempotencyKey, Refusal
from regserver.endpoint import Request
from regserver.web.http.answer import Answer


class Parameters(msgspec.Struct, frozen=True, rename="camel"):
    """Base of decoded query and header parameters.

    A field is a query parameter of its name in camel case; with `Meta(extra={"header": "Prefer"})` a header field.
    """


class RequestBody(msgspec.Struct, frozen=True):
    """Base of decoded bodies.

    media_types: accepted ones. wire_type: the type on the wire, if it is not the Struct. beside: parameters that the use
    case reads by itself.
    """

    media_types: ClassVar[tuple[str, ...]] = ("application/json",)
    wire_type: ClassVar[Any] = None
    beside: ClassVar[tuple[type[Parameters], ...]] = ()

    def identity(self) -> Any:
        """The value that a repetition must repeat, compared as JSON, together with the path."""
        return self


Body = TypeVar("Body", bound=RequestBody)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
RouteEndpoint = Callable[[Request], Awaitable[Answer]]

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def idempotency_of(
    request: Request, body: Mapping[str, Any] | msgspec.Struct
) -> Idempotency | BadIdempotencyKey | None:
    """The key with a hash of what the request means; None when there is no key.

    body: what is compared with a repetition, as an object: a client may order or space its JSON differently. Its hash is
    stored, so a password must not be in it. Its member names are hashed too: an update that renames one makes
    repetitions of earlier requests conflict.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    # draft-ietf-httpapi-idempotency-key-header has a quoted string, most clients send a bare one.
    key = key.strip().removeprefix('"').removesuffix('"')
    if not is_idempotency_key(key):
        return BadIdempotencyKey()
    path = request.path.removesuffix("/").encode("utf-8", "surrogatepass")
    return Idempotency(key, hashlib.sha256(path + b"\n" + _encode_sorted(body)).digest())


class Keyed(msgspec.Struct, Generic[Body], frozen=True):
    """A body and its Idempotency-Key, or None."""

    body: Body
    idempotency: Idempotency | None


class KeyedStep(msgspec.Struct, Generic[Body], frozen=True):
    """A step that reads the body and then the Idempotency-Key."""

    read: Callable[[Request], Body | Refusal]

    @property
    def steps(self) -> tuple[Callable[..., Any], ...]:
        """The functions of this step."""
        return (self.read, idempotency_of)

    def __call__(self, request: Request) -> Keyed[Body] | BadIdempotencyKey | Refusal:
        body = self.read(request)
        if isinstance(body, Refusal):
            return body
        idempotency = idempotency_of(request, body.identity())
        return idempotency if isinstance(idempotency, Refusal) else Keyed(body, idempotency)


class Pipeline(msgspec.Struct, frozen=True):
    """An endpoint: the steps `reads`, then the use case `act`."""

    act: Callable[..., Awaitable[Answer]]
    reads: tuple[Callable[[Request], Any], ...]

    @property
    def steps(self) -> tuple[Callable[..., Any], ...]:
        """All functions of the endpoint, whose return types are its contract."""
        return (*(step for read in self.reads for step in steps_of(read)), self.act)

    # Not `async`: each request would pay for one coroutine more.
    def __call__(self, request: Request) -> Awaitable[Answer]:
        found = []
        for read in self.reads:
            value = read(request)
            if type(value) in errors.STATUS:  # a Refusal; isinstance takes ten times as long for a Struct
                return _refused(value)
            found.append(value)
        return self.act(request, *found)


async def _refused(refusal: Refusal) -> Answer:
    return refusal


def steps_of(function: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """The functions of a pipeline or a step; a plain function is its only one."""
    return function.steps if isinstance(function, Pipeline | KeyedStep) else (function,)


ReadStep = Callable[[Request], A | Refusal]
Acting = Awaitable[Answer]


@overload
def pipeline(act: Callable[[Request, A], Acting], first: ReadStep[A], /) -> Pipeline: ...
@overload
def pipeline(
    act: Callable[[Request, A, B], Acting], first: ReadStep[A], second: ReadStep[B], /
) -> Pipeline: ...
@overload
def pipeline(
    act: Callable[[Request, A, B, C], Acting],
    first: ReadStep[A],
    second: ReadStep[B],
    third: Callable[[Request], C],
    /,
) -> Pipeline: ...
def pipeline(act: Callable[..., Awaitable[Answer]], /, *reads: Callable[[Request], Any]) -> Pipeline:
    """An endpoint that calls `act` with the request and the value of each step, unless a step refuses."""
    return Pipeline(act, reads)
