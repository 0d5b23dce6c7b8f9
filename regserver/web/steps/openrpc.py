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

MEANINGS: dict[str, tuple[str, Any]] = {
    "phone": ("A phone number with its country code.", "+380000000000"),
    "email": ("An e-mail address.", "alice@example.org"),
    "identity": ("The id at an identity provider.", "1234567890"),
    "provider": ("The identity provider, where it has to be told.", "oauth"),
    "secureKey": ("The key that the operator gave to the identity provider.", "a shared secret"),
    "captcha": ("The solved captcha, where one is demanded.", ""),
    "captchaType": ("The client's platform.", "web"),
    "invitation": ("An invitation, where one is demanded.", "regi_0123abcd"),
    "code": ("The code that was sent.", "314159"),
    "token": ("The token that verify gave, where it was wanted.", "regr_0123abcd"),
    "wantToken": (
        "Whether a token shall be needed from here on; at the last step: whether to be signed in.",
        True,
    ),
    "username": ("The user name that is wished for.", "some-user-name"),
    "userId": ("The id that setUsername gave.", "tst5swkjbtgy"),
    "publicOwnerKey": ("The owner key.", "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"),
    "publicActiveKey": ("The active key.", "GLS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"),
    "communityIds": ("At least three communities.", ["GIFS", "GIRLS", "HEALTH"]),
}
"""Meaning and example of each parameter, by its name."""


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
            {
                "name": name,
                "description": MEANINGS[name][0],
                "required": name in required,
                "schema": {**shape, "examples": [MEANINGS[name][1]]},
            }
            for name, shape in sorted(schema["properties"].items(), key=lambda item: item[0] not in required)
        ],
        "result": {"name": "result", "schema": {"$ref": REF.format(name=method.result.__name__)}},
        "errors": [{"code": code, "message": message} for code, message in _errors(method)],
    }


def _errors(method: Method) -> dict[tuple[int, str], None]:
    """Code and message of every error once, the method's own first."""
    return dict.fromkeys((error.code, error.message) for error in (*method.errors, *OF_EVERY_METHOD))
