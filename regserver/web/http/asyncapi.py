"""AsyncAPI 3.1 of the WebSockets, derived from their routes: frames, parameters, refusals and close codes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from regserver import errors
from regserver.domain.outcome import (
    ForeignOrigin,
    Refusal,
    StoreUnavailable,
    TooManyRequests,
    UpgradeRequired,
)
from regserver.endpoint import CloseCode
from regserver.service.rate_limiter import Rate
from regserver.web.http.contract import refusals_of
from regserver.web.http.field import PATH_FIELDS
from regserver.web.http.openapi import rate_limit
from regserver.web.http.route import SocketRoute
from regserver.web.http.schema import Schemas, members, parameters

IN_THE_HANDSHAKE: tuple[type[Refusal], ...] = (
    ForeignOrigin,
    UpgradeRequired,
    TooManyRequests,
    StoreUnavailable,
)
"""Refusals of the dispatcher instead of an upgrade."""

NEVER_SENT = {CloseCode.NO_STATUS, CloseCode.ABNORMAL}


def asyncapi(sockets: Iterable[SocketRoute], rates: Mapping[str, Rate], version: str) -> dict[str, Any]:
    """The document. Clients only receive. rates: the limits in force, by name."""
    schemas, messages, channels = Schemas(), dict[str, Any](), dict[str, Any]()
    for socket in sockets:
        own = _messages(socket, schemas)
        messages |= own
        channels[socket.name.partition(".")[0]] = _channel(socket, list(own), schemas, rates)
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "regserver", "version": version, "license": {"name": "MIT"}},
        "channels": channels,
        "operations": {
            name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in channels
        },
        "components": {"messages": messages, "schemas": schemas.components},
        "x-handshake-refusals": {
            str(errors.STATUS[kind]): {"error": kind.__name__, "meaning": kind.__doc__}
            for kind in IN_THE_HANDSHAKE
        },
        "x-close-codes": {
            str(int(code)): {"meaning": code.meaning, "reconnect": code.should_reconnect}
            for code in CloseCode
            if code not in NEVER_SENT
        },
    }


def _messages(socket: SocketRoute, schemas: Schemas) -> dict[str, Any]:
    found = {}
    for kind in members(socket.frames):
        schema = schemas.of(kind)
        found[kind.__name__] = {
            "summary": kind.__doc__,
            "payload": schema,
            "examples": [{"payload": schemas.example(schema)}],
        }
    for refusal in refusals_of(socket.admit):
        name = errors.name(refusal.example())
        found[name] = {
            "summary": f"{refusal.__doc__} The socket is closed with {int(CloseCode.POLICY_VIOLATION)} after it.",
            "contentType": "text/plain",
            "payload": {"const": name},
        }
    return found


def _channel(
    socket: SocketRoute, messages: list[str], schemas: Schemas, rates: Mapping[str, Rate]
) -> dict[str, Any]:
    query = {
        one["name"]: {**one["schema"], "description": one["description"]}
        for one in parameters(socket.asked, schemas)
        if one["in"] == "query"
    }
    in_path = re.findall(r"{(\w+)}", socket.pattern)
    return {
        "address": socket.pattern,
        "parameters": {
            name: {"description": schemas.of(PATH_FIELDS[name])["description"]} for name in in_path
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"ws": {"query": {"type": "object", "properties": query}}},
        "x-rate-limit": rate_limit(socket.limit, rates),
    }
