"""GET /openapi.json and GET /asyncapi.json: the HTTP routes and the WebSockets, described for machines.

Built once, from the routes there are, the table in `api_table` and the wire types of the frames.
"""

import re
from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from regserver.endpoint import Request, Response
from regserver.web.http.answer import NAMED, json
from regserver.web.http.api_table import LIVE_EVENT, SCHEMAS, TABLE, Row
from regserver.web.http.route import Route
from regserver.web.rooms.notification import Notification, Resumed

PAGES = ("/static/", "/confirm")
"""Patterns of what is for browsers, not for programs, and so not described."""

ROOM_QUERY = {
    "token": "a bearer token, where the Authorization field cannot be sent and query tokens are allowed",
    "ticket": "a single-use ticket of POST /login/ticket",
    "since": "a cursor: Resumed comes first, then what was missed, then live, each with one more key, cursor",
}
"""What the rooms' socket may be asked with."""

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repetition safe: for 24 hours the same key gets the same answer.",
    "schema": {"type": "string"},
}

_REFERENCE = "#/components/schemas/{name}"


class DocumentApi:
    """The two documents. others: the routes of all other doors."""

    def __init__(self, others: Iterable[Route], version: str) -> None:
        routes = (*others, *self.routes())
        self._openapi = json(openapi(routes, version))
        self._asyncapi = json(asyncapi(version))

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("documents.openapi", "GET", "/openapi.json", self.openapi, "operation", NAMED),
            Route("documents.asyncapi", "GET", "/asyncapi.json", self.asyncapi, "operation", NAMED),
        )

    async def openapi(self, request: Request) -> Response:
        return self._openapi

    async def asyncapi(self, request: Request) -> Response:
        return self._asyncapi


def is_page(route: Route) -> bool:
    """Whether the route is for browsers: what pages consist of, and what only their scripts call."""
    return route.pattern.startswith(PAGES) or (route.method, route.pattern) == ("GET", "/")


def openapi(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """OpenAPI 3.1 of those routes that are for programs."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not is_page(route):
            row = TABLE[f"{route.method} {route.pattern}"]
            paths.setdefault(route.pattern, {})[route.method.lower()] = _operation(route, row)
    return {
        "openapi": "3.1.0",
        "info": {"title": "regserver", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, row: Row) -> dict[str, Any]:
    words = re.findall(r"\w+", f"{route.method.lower()} {route.pattern}") or ["root"]
    error = "DirectoryError" if type(route.style) is not type(NAMED) else "Error"
    answers: dict[str, Any] = {
        str(status): _answer(text, name) for status, (text, name) in row.answers.items()
    }
    answers |= {str(status): _answer(names, error) for status, names in row.refusals.items()}
    if row.retry:
        answers["409"] = _answer(
            ", ".join(filter(None, (row.refusals.get(409), "IdempotencyConflict"))), error
        )
    answers["429"] = _answer("Too many requests; Retry-After says when to come back.", None)
    operation: dict[str, Any] = {
        "operationId": "_".join(words),
        "summary": row.summary,
        "parameters": _parameters(route, row),
        "responses": answers,
        "security": [{"token": []}] if row.token else [],
    }
    if row.body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": _schema(row.body)}}}
    return operation


def _parameters(route: Route, row: Row) -> list[dict[str, Any]]:
    text = {"type": "string"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", route.pattern)
    ]
    in_query = [
        {"name": name, "in": "query", "description": meaning, "schema": text}
        for name, meaning in row.query.items()
    ]
    return [*in_path, *in_query, *([IDEMPOTENCY_KEY] if row.retry else [])]


def _answer(text: str, name: str | None) -> dict[str, Any]:
    if name is None:
        return {"description": text}
    return {"description": text, "content": {"application/json": {"schema": _schema(name)}}}


def _schema(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=name)}


def asyncapi(version: str) -> dict[str, Any]:
    """AsyncAPI 3.1 of the two WebSockets. Clients only listen."""
    kinds = (Resumed, *get_args(Notification))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    rooms = {kind.__name__: {"payload": schema} for kind, schema in zip(kinds, schemas, strict=True)}
    messages = {"Event": {"payload": LIVE_EVENT}, **rooms}
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "regserver", "version": version, "license": {"name": "MIT"}},
        "channels": {
            "registration": _channel("/register/{registration}", ["Event"], ("registration",)),
            "rooms": _channel("/room/websocket", list(rooms), ())
            | {"bindings": {"ws": {"query": _object_of(ROOM_QUERY)}}},
        },
        "operations": {
            name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
            for name in ("registration", "rooms")
        },
        "components": {"messages": messages, "schemas": components},
    }


def _object_of(texts: dict[str, str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in texts.items()}
    return {"type": "object", "properties": properties}


def _channel(address: str, names: list[str], parameters: tuple[str, ...]) -> dict[str, Any]:
    return {
        "address": address,
        "parameters": {name: {} for name in parameters},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }
