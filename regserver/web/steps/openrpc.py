"""The OpenRPC document, derived from the types that decode the parameters (https://spec.open-rpc.org)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from regserver import __version__
from regserver.web.steps.jsonrpc import INTERNAL_ERROR, TOO_MANY_REQUESTS, Method, invalid_params

OF_EVERY_METHOD = (invalid_params(), TOO_MANY_REQUESTS, INTERNAL_ERROR)
"""Parameters that do not fit, too many calls in a batch, a fault of the server."""
OPENRPC = "1.3.2"
REF = "#/components/schemas/{name}"


def describe(methods: Iterable[Method]) -> dict[str, Any]:
    """The OpenRPC document; parameters by name, required or optional."""
    methods = list(methods)
    types = [kind for method in methods for kind in (method.params, method.result)]
    _, components = msgspec.json.schema_components(types, ref_template=REF)
    return {
        "openrpc": OPENRPC,
        "info": {
            "title": "regserver: registration steps",
            "version": __version__,
            "description": "Method names also answer with the prefix `registration.`.",
        },
        "methods": [_method(method, components) for method in methods],
        "components": {"schemas": components},
    }


def _method(method: Method, components: dict[str, Any]) -> dict[str, Any]:
    schema = components[method.params.__name__]
    required = set(schema.get("required", ()))
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "params": [
            {"name": name, "required": name in required, "schema": shape}
            for name, shape in sorted(schema["properties"].items(), key=lambda item: item[0] not in required)
        ],
        "result": {"name": "result", "schema": {"$ref": REF.format(name=method.result.__name__)}},
        "errors": [{"code": code, "message": message} for code, message in _errors(method)],
    }


def _errors(method: Method) -> dict[tuple[int, str], None]:
    """Code and message of every error once, the method's own first."""
    return dict.fromkeys((error.code, error.message) for error in (*method.errors, *OF_EVERY_METHOD))
