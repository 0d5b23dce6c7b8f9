"""Endpoints made of steps: what is read off the request, in the order in which it is checked, then the use case.

    pipeline(self.post, KeyedStep(read_new_post), bearer)      body, Idempotency-Key, token, then self.post

A step takes the request and gives what it found or a refusal. Its return type says which refusals, that of the use case
also which answers: the OpenAPI document is read off these types, so it names what can happen and nothing else.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, overload

import msgspec

from regserver.domain.idempotency import Idempotency, is_idempotency_key
from regserver.domain.outcome import BadIdempotencyKey, Refusal
from regserver.endpoint import Request
from regserver.web.http.answer import Answer


class RequestBody(msgspec.Struct, frozen=True):
    """Base of what a body is read to. media_types: what it may be sent as. wire_type: its type, where it is not the Struct."""

    media_types: ClassVar[tuple[str, ...]] = ("application/json",)
    wire_type: ClassVar[Any] = None

    def identity(self) -> Any:
        """What a repetition of the request is known by, beside its path: compared as JSON."""
        return self


class Parameters(msgspec.Struct, frozen=True, rename="camel"):
    """Base of what query and header fields are read to.

    A field is a query parameter of its name in camel case; with `Meta(extra={"header": "Prefer"})` a header field.
    """


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
    """A body, and what makes a repetition of the request safe; None when it has no Idempotency-Key."""

    body: Body
    idempotency: Idempotency | None


class KeyedStep(msgspec.Struct, Generic[Body], frozen=True):
    """A step that reads the body and then the Idempotency-Key."""

    read: Callable[[Request], Body | Refusal]

    @property
    def steps(self) -> tuple[Callable[..., Any], ...]:
        """What it is made of."""
        return (self.read, idempotency_of)

    def __call__(self, request: Request) -> Keyed[Body] | BadIdempotencyKey | Refusal:
        body = self.read(request)
        if isinstance(body, Refusal):
            return body
        idempotency = idempotency_of(request, body.identity())
        return idempotency if isinstance(idempotency, Refusal) else Keyed(body, idempotency)


class Pipeline(msgspec.Struct, frozen=True):
    """An endpoint, and the steps that it takes; the last is the use case."""

    act: Callable[..., Awaitable[Answer]]
    reads: tuple[Callable[[Request], Any], ...]

    @property
    def steps(self) -> tuple[Callable[..., Any], ...]:
        """The functions whose return types tell what the endpoint may answer."""
        return (*(step for read in self.reads for step in steps_of(read)), self.act)

    async def __call__(self, request: Request) -> Answer:
        found = []
        for read in self.reads:
            value = read(request)
            if isinstance(value, Refusal):
                return value
            found.append(value)
        return await self.act(request, *found)


def steps_of(function: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """The steps of a pipeline or of one of its own; a plain function is its only one."""
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
    """An endpoint that calls `act` with the request and what each step found, once no step refuses."""
    return Pipeline(act, reads)
