"""GET /openapi.json and GET /asyncapi.json: descriptions of the HTTP routes and the WebSockets.

Each is built from the routes and the types of their endpoints, in a thread when it is first asked for: it takes a tenth of a
second, and many a server is never asked. It is built again when a reload has brought other limits, which stand in it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

import msgspec
import trio

from regserver.endpoint import Request, Response
from regserver.service.rate_limiter import Rate
from regserver.web.http.asyncapi import asyncapi
from regserver.web.http.openapi import openapi
from regserver.web.http.route import Route, SocketRoute


class OpenApiDocument(Response, frozen=True, kw_only=True):
    """An OpenAPI 3.1 document."""

    wire_type: ClassVar[Any] = dict[str, Any]


class AsyncApiDocument(Response, frozen=True, kw_only=True):
    """An AsyncAPI 3.1 document."""

    wire_type: ClassVar[Any] = dict[str, Any]


class DocumentApi:
    """others, sockets: all other routes. rates: the limits in force, by name, another mapping after each change. messages: what the ids in bodies mean."""

    def __init__(
        self,
        others: Iterable[Route],
        sockets: Iterable[SocketRoute],
        rates: Callable[[], Mapping[str, Rate]],
        version: str,
        messages: Mapping[str, str] | None = None,
    ) -> None:
        self._routes = (*others, *self.routes())
        self._sockets = tuple(sockets)
        self._rates = rates
        self._version = version
        self._messages = messages or {}
        self._openapi: tuple[Mapping[str, Rate], OpenApiDocument] | None = None
        self._asyncapi: tuple[Mapping[str, Rate], AsyncApiDocument] | None = None

    def routes(self) -> tuple[Route, ...]:
        """The routes of the documents."""
        return (
            Route("documents.openapi", "GET", "/openapi.json", self.openapi, "operation"),
            Route("documents.asyncapi", "GET", "/asyncapi.json", self.asyncapi, "operation"),
        )

    async def bodies(self) -> tuple[bytes, bytes]:
        """The two documents: OpenAPI and AsyncAPI."""
        return (await self._of_routes()).body, (await self._of_sockets()).body

    async def openapi(self, _: Request) -> OpenApiDocument:
        """Get this document."""
        return await self._of_routes()

    async def asyncapi(self, _: Request) -> AsyncApiDocument:
        """Get the description of the WebSockets."""
        return await self._of_sockets()

    async def _of_routes(self) -> OpenApiDocument:
        rates = self._rates()
        if self._openapi is None or self._openapi[0] is not rates:
            describe = partial(openapi, messages=self._messages)
            body = await trio.to_thread.run_sync(self._encode, describe, self._routes, rates)
            self._openapi = rates, OpenApiDocument(body=body)
        return self._openapi[1]

    async def _of_sockets(self) -> AsyncApiDocument:
        rates = self._rates()
        if self._asyncapi is None or self._asyncapi[0] is not rates:
            body = await trio.to_thread.run_sync(self._encode, asyncapi, self._sockets, rates)
            self._asyncapi = rates, AsyncApiDocument(body=body)
        return self._asyncapi[1]

    def _encode(
        self,
        describe: Callable[[Any, Mapping[str, Rate], str], Any],
        described: object,
        rates: Mapping[str, Rate],
    ) -> bytes:
        return msgspec.json.encode(describe(described, rates, self._version))
