"""GET /openapi.json and GET /asyncapi.json: descriptions of the HTTP routes and the WebSockets.

Both are built once, at start, from the routes and the types of their endpoints.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

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
    """others, sockets: all other routes. rates: the limits in force, by name."""

    def __init__(
        self, others: Iterable[Route], sockets: Iterable[SocketRoute], rates: Mapping[str, Rate], version: str
    ) -> None:
        routes = (*others, *self.routes())
        self._openapi = OpenApiDocument(body=msgspec.json.encode(openapi(routes, rates, version)))
        self._asyncapi = AsyncApiDocument(body=msgspec.json.encode(asyncapi(sockets, rates, version)))

    def routes(self) -> tuple[Route, ...]:
        """The routes of the documents."""
        return (
            Route("documents.openapi", "GET", "/openapi.json", self.openapi, "operation"),
            Route("documents.asyncapi", "GET", "/asyncapi.json", self.asyncapi, "operation"),
        )

    async def openapi(self, _: Request) -> OpenApiDocument:
        """Get this document."""
        return self._openapi

    async def asyncapi(self, _: Request) -> AsyncApiDocument:
        """Get the description of the WebSockets."""
        return self._asyncapi
