"""Requests that change something, in the contract's order: body, Idempotency-Key, token; then the use case, and with it the room."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from regserver.domain.idempotency import Idempotency
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.web.http.bearer import bearer
from regserver.web.http.idempotency import idempotency_of
from regserver.web.http.route import Answer, RouteEndpoint

Body = TypeVar("Body", bound=msgspec.Struct)


def command(
    read: Callable[[Request], Body | Refusal],
    act: Callable[[Request, SecretHash, Body, Idempotency | None], Awaitable[Answer]],
) -> RouteEndpoint:
    """An endpoint that calls `act` with what `read` makes of the body, once nothing is wrong with the request itself.

    A repetition is known by the path and by what `read` made, all of it.
    """

    async def endpoint(request: Request) -> Answer:
        body = read(request)
        if isinstance(body, Refusal):
            return body
        idempotency = idempotency_of(request, body)
        if isinstance(idempotency, Refusal):
            return idempotency
        token = bearer(request)
        if isinstance(token, Refusal):
            return token
        return await act(request, token, body, idempotency)

    return endpoint
