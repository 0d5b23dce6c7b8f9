"""OpenAPI 3.1 of the routes, derived from what their endpoints are made of.

body, parameters, security    from the steps of the endpoint (`contract`)
answers and refusals          from the return types of the steps
limits                        from the row of rates that the route names
texts                         from docstrings; examples from those of the fields

The code that answers requests makes an example of each answer and refusal. So status, header fields and body in the document
are those that clients get.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from regserver.domain.idempotency import MAX_KEY_LENGTH
from regserver.domain.outcome import (
    BadContentType,
    BodyTooLarge,
    ForeignOrigin,
    InternalError,
    MethodNotAllowed,
    Refusal,
    RouteNotFound,
    ServerBusy,
    StoreUnavailable,
    TooManyRequests,
    UpgradeRequired,
)
from regserver.endpoint import Response
from regserver.service.rate_limiter import Rate
from regserver.web.http.answer import NAMED, ErrorStyle, JsonAnswer, respond
from regserver.web.http.contract import Contract, contract_of
from regserver.web.http.cors import SAFE_METHODS
from regserver.web.http.field import PATH_FIELDS
from regserver.web.http.pipeline import RequestBody
from regserver.web.http.route import Route
from regserver.web.http.schema import Schema, Schemas, parameters

SECURITY: dict[str, list[Any]] = {"none": [], "optional": [{}, {"token": []}], "required": [{"token": []}]}

IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repetition safe: for 24 hours the same key gets the same answer.",
    "schema": {
        "type": "string",
        "pattern": "^[!-~]+$",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        "examples": ["6f1c9b1e-0f5a-4c3e-9d1b-2f6f1c9b1e0f"],
    },
}

EVERYWHERE: tuple[type[Refusal], ...] = (BodyTooLarge, BadContentType, TooManyRequests, InternalError)
"""Refusals of the dispatcher at every route. At those that change something it also refuses ForeignOrigin."""

TAGS = {
    "sign_in": "Signing in and out.",
    "account": "Signing up, and the account.",
    "live": "Watching a live registration.",
    "rooms": "Rooms and posts.",
    "push": "Push messages about rooms, for people who have no socket there.",
    "directory": "The directory: names, sign-up by mail, and where users live.",
    "steps": "Registration by steps, as JSON-RPC 2.0.",
    "admin": "For operators, who show an operator key as the bearer token.",
    "operations": "Health and metrics.",
    "documents": "Documents for machines.",
}
"""Groups of operations, by the first word of their routes' names."""

IN_MEMORY = frozenset({"operation", "page", "socket"})
"""Limits of routes that answer without the store; at all others it may be unavailable."""


def _header(meaning: str, **schema: Any) -> Schema:
    return {"description": meaning, "schema": schema}


HEADERS: dict[str, Schema] = {
    "Location": _header("Where to watch the registration.", type="string", format="uri"),
    "Link": _header("Where the refusal is explained, with rel=help.", type="string"),
    "Retry-After": _header("Seconds until the next try.", type="integer", minimum=1),
    "X-Request-Id": _header("Names the request in the log of the server.", type="string"),
}
"""Header fields whose values differ between responses; the document has the values of all others."""

DISPATCHER_FIELDS = {"x-request-id": "", "cache-control": "no-store"}
"""What the dispatcher adds to each response that has no such field."""


WITHOUT_ROUTE: tuple[Refusal, ...] = (RouteNotFound(), MethodNotAllowed(("GET",)), UpgradeRequired())
"""Refusals of requests that no operation of the document answers."""


def openapi(
    routes: Iterable[Route],
    rates: Mapping[str, Rate],
    version: str,
    messages: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The document. rates: the limits in force, by name. messages: what the ids in bodies mean."""
    routes = tuple(routes)
    paths: dict[str, dict[str, Any]] = {}
    schemas = Schemas()
    for route in routes:
        if route.described:
            operations = paths.setdefault(route.pattern, {})
            operations[route.method.lower()] = _operation(route, schemas, rates)
    return {
        "openapi": "3.1.0",
        "info": {"title": "regserver", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "."}],
        "tags": [
            {"name": tag} | ({"description": TAGS[tag]} if tag in TAGS else {}) for tag in _tags(routes)
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "headers": HEADERS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "x-elsewhere": _elsewhere(dict.fromkeys((NAMED, *(route.style for route in routes)))),
        "x-messages": dict(messages or {}),
    }


def _elsewhere(styles: Iterable[ErrorStyle]) -> dict[str, dict[str, Any]]:
    """Name → status, meaning and body of the refusals in WITHOUT_ROUTE. Of those with one name, the first counts."""
    found: dict[str, dict[str, Any]] = {}
    for style in styles:
        for refusal in WITHOUT_ROUTE:
            refused = style.refuse(refusal)
            told = {"meaning": refusal.__doc__ or "", "example": msgspec.json.decode(refused.body)}
            found.setdefault(refused.help, {"status": refused.status, **told})
    return found


def _tags(routes: Iterable[Route]) -> Iterable[str]:
    return dict.fromkeys(_tag(route) for route in routes if route.described)


def _tag(route: Route) -> str:
    return route.name.partition(".")[0]


def _operation(route: Route, schemas: Schemas, rates: Mapping[str, Rate]) -> dict[str, Any]:
    contract = contract_of(route.endpoint)
    words = re.findall(r"\w+", f"{route.method.lower()} {route.pattern}")
    asked = [
        schemas.parameter("path", name, PATH_FIELDS[name]) for name in re.findall(r"{(\w+)}", route.pattern)
    ]
    asked += [parameter for kind in contract.parameters for parameter in parameters(kind, schemas)]
    operation: dict[str, Any] = {
        "operationId": "_".join(words),
        "tags": [_tag(route)],
        "summary": contract.summary,
        "description": contract.description,
        "parameters": [*asked, IDEMPOTENCY_KEY] if contract.is_keyed else asked,
        "responses": _responses(route, contract, schemas),
        "security": SECURITY[contract.security],
        "x-rate-limit": rate_limit(route.limit, rates),
    }
    if contract.body is not None and contract.body.__struct_fields__:
        operation["requestBody"] = _body(contract.body, schemas)
    return operation


def _body(body: type[RequestBody], schemas: Schemas) -> dict[str, Any]:
    schema = schemas.asked(body.wire_type or body)
    media = {"schema": schema, "example": schemas.example(schema)}
    return {
        "required": bool(schemas.resolve(schema).get("required", True)),
        "content": dict.fromkeys(body.media_types, media),
    }


def rate_limit(name: str, rates: Mapping[str, Rate]) -> dict[str, Any]:
    """The name of a rate limit, and its rate for one client."""
    rate = rates.get(name)
    return {"name": name} | ({} if rate is None else {"requests": rate.count, "seconds": rate.seconds})


# --- responses
class Variant(msgspec.Struct, frozen=True):
    """One thing that a route may answer. name: of the type or the refusal. schema: None where there is no body."""

    name: str
    meaning: str
    response: Response
    schema: Schema | None
    example: Any = msgspec.UNSET


def _responses(route: Route, contract: Contract, schemas: Schemas) -> dict[str, Any]:
    """The `responses` of an operation, by status."""
    by_status: dict[int, list[Variant]] = {}
    for variant in _variants(route, contract, schemas):
        by_status.setdefault(variant.response.status, []).append(variant)
    return {
        str(status): _response(by_status[status], with_body=route.method != "HEAD")
        for status in sorted(by_status)
    }


def _variants(route: Route, contract: Contract, schemas: Schemas) -> Iterator[Variant]:
    for answer in contract.answers:
        yield _answered(answer, route.style, schemas)
    store = () if route.limit in IN_MEMORY else (StoreUnavailable,)
    busy = (ServerBusy,) if route.hashes else ()
    foreign = () if route.method in SAFE_METHODS else (ForeignOrigin,)
    for refusal in dict.fromkeys((*contract.refusals, *EVERYWHERE, *foreign, *store, *busy)):
        yield _refused(refusal, route.style, schemas)


def _answered(kind: Any, style: ErrorStyle, schemas: Schemas) -> Variant:
    if kind is None:
        return Variant("Done", "Done; there is no body.", respond(None, style), None)
    name, meaning = kind.__name__, kind.__doc__
    if issubclass(kind, JsonAnswer):
        schema = schemas.of(kind)
        example = schemas.example(schema)
        return Variant(name, meaning, respond(msgspec.convert(example, kind), style), schema, example)
    values = {field.name: field.default for field in msgspec.structs.fields(kind)}
    shown = Response(status=values["status"], content_type=values["content_type"], headers=values["headers"])
    return Variant(name, meaning, shown, schemas.of(getattr(kind, "wire_type", str)))


def _refused(kind: type[Refusal], style: ErrorStyle, schemas: Schemas) -> Variant:
    refusal = kind.example()
    body, meaning = style.body(refusal), kind.__doc__ or ""
    example, schema = msgspec.to_builtins(body), schemas.of(type(body))
    name = example.get(style.name_field, kind.__name__)
    if style.name_field:
        narrowed = {"allOf": [schema], "properties": {style.name_field: {"const": name}}}
        schema = schemas.add(name, {"description": meaning, **narrowed})
    return Variant(name, meaning, style.refuse(refusal), schema, example)


def _response(variants: list[Variant], *, with_body: bool) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "\n\n".join(f"{variant.name}: {variant.meaning}" for variant in variants),
        "headers": _headers(variants),
    }
    bodies = [variant for variant in variants if variant.schema is not None]
    if bodies and with_body:
        response["content"] = {
            kind: _media([variant for variant in bodies if variant.response.content_type == kind])
            for kind in dict.fromkeys(variant.response.content_type for variant in bodies)
        }
    return response


def _headers(variants: list[Variant]) -> dict[str, Any]:
    """The header fields of the variants; a field of all variants is required."""
    fields = [
        {
            **DISPATCHER_FIELDS,
            **dict(variant.response.headers),
            **({"link": ""} if variant.response.help else {}),
        }
        for variant in variants
    ]
    described: dict[str, Any] = {}
    for name, value in {name: value for own in fields for name, value in own.items()}.items():
        title = name.title()
        if title in HEADERS:
            described[title] = {"$ref": f"#/components/headers/{title}"}
        else:
            everywhere = all(own.get(name) == value for own in fields)
            described[title] = {"schema": {"const": value}, "required": everywhere}
    return described


def _media(variants: list[Variant]) -> dict[str, Any]:
    schemas = list({repr(variant.schema): variant.schema for variant in variants}.values())
    media: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}
    examples = {
        variant.name: {"value": variant.example}
        for variant in variants
        if variant.example is not msgspec.UNSET
    }
    return media | ({"examples": examples} if examples else {})
