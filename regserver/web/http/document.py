"""GET /openapi.json and GET /asyncapi.json: descriptions of the HTTP routes and the WebSockets.

Each is built once, from the routes and the types of their endpoints, in a thread when it is first asked for: it takes a tenth of
a second, and many a server is never asked.
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
    """others, sockets: all other routes. rates: the limits in force, by name. messages: what the ids in bodies mean."""

    def __init__(
        self,
        others: Iterable[Route],
        sockets: Iterable[SocketRoute],
        rates: Mapping[str, Rate],
        version: str,
        messages: Mapping[str, str] | None = None,
    ) -> None:
        self._routes = (*others, *self.routes())
        self._sockets = tuple(sockets)
        self._rates = rates
        self._version = version
        self._messages = messages or {}
        self._openapi: OpenApiDocument | None = None
        self._asyncapi: AsyncApiDocument | None = None

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
        if self._openapi is None:
            describe = partial(openapi, messages=self._messages)
            body = await trio.to_thread.run_sync(self._encode, describe, self._routes)
            self._openapi = OpenApiDocument(body=body)
        return self._openapi

    async def _of_sockets(self) -> AsyncApiDocument:
        if self._asyncapi is None:
            body = await trio.to_thread.run_sync(self._encode, asyncapi, self._sockets)
            self._asyncapi = AsyncApiDocument(body=body)
        return self._asyncapi

    def _encode(self, describe: Callable[[Any, Mapping[str, Rate], str], Any], described: object) -> bytes:
        return msgspec.json.encode(describe(described, self._rates, self._version))
