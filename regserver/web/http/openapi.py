"""OpenAPI 3.1 of the routes, derived from what their endpoints are made of.

body, parameters, security    from the steps of the endpoint (`contract`)
answers and refusals          from the return types of the steps (`openapi_response`)
limits                        from the row of rates that the route names
texts                         from docstrings; examples from those of the fields
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from regserver.service.rate_limiter import Rate
from regserver.web.http.contract import contract_of
from regserver.web.http.field import PATH_FIELDS
from regserver.web.http.openapi_response import HEADERS, responses
from regserver.web.http.pipeline import RequestBody
from regserver.web.http.route import Route
from regserver.web.http.schema import Schema, Schemas, parameters

SECURITY: dict[str, list[Any]] = {"none": [], "optional": [{}, {"token": []}], "required": [{"token": []}]}

IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repetition safe: for 24 hours the same key gets the same answer.",
    "schema": {"type": "string", "examples": ["6f1c9b1e-0f5a-4c3e-9d1b-2f6f1c9b1e0f"]},
}


def openapi(routes: Iterable[Route], rates: Mapping[str, Rate], version: str) -> dict[str, Any]:
    """The document. rates: the limits in force, by name."""
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
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "headers": HEADERS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, schemas: Schemas, rates: Mapping[str, Rate]) -> dict[str, Any]:
    contract = contract_of(route.endpoint)
    words = re.findall(r"\w+", f"{route.method.lower()} {route.pattern}")
    asked = [
        schemas.parameter("path", name, PATH_FIELDS[name]) for name in re.findall(r"{(\w+)}", route.pattern)
    ]
    asked += [parameter for kind in contract.parameters for parameter in parameters(kind, schemas)]
    operation: dict[str, Any] = {
        "operationId": "_".join(words),
        "summary": contract.summary,
        "description": contract.description,
        "parameters": [*asked, IDEMPOTENCY_KEY] if contract.is_keyed else asked,
        "responses": responses(route, contract, schemas),
        "security": SECURITY[contract.security],
        "x-rate-limit": rate_limit(route.limit, rates),
    }
    if contract.body is not None and contract.body.__struct_fields__:
        operation["requestBody"] = _body(contract.body, schemas)
    return operation


def _body(body: type[RequestBody], schemas: Schemas) -> dict[str, Any]:
    schema = schemas.of(body.wire_type or body)
    media = {"schema": schema, "example": schemas.example(schema)}
    return {
        "required": bool(schemas.resolve(schema).get("required", True)),
        "content": dict.fromkeys(body.media_types, media),
    }


def rate_limit(name: str, rates: Mapping[str, Rate]) -> dict[str, Any]:
    """The name of a rate limit, and its rate for one client."""
    rate = rates.get(name)
    return {"name": name} | ({} if rate is None else {"requests": rate.count, "seconds": rate.seconds})
