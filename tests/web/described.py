"""Validates responses against the OpenAPI document: status, header fields, content type and body."""

import json
import re
from collections.abc import Iterable
from typing import Any

import jsonschema

from regserver.endpoint import Response, StreamResponse
from regserver.web.http.openapi import openapi
from regserver.web.http.route import Route


class Described:
    """The document of some routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._document = openapi(routes, {}, "test")

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(method, pattern) → operation."""
        paths = self._document["paths"].items()
        return {(method.upper(), path): each for path, methods in paths for method, each in methods.items()}

    def names(self, method: str, pattern: str) -> list[tuple[int, str]]:
        """Status and name of all that an operation may answer."""
        responses = self.operations[method, pattern]["responses"]
        return [
            (int(status), name)
            for status, response in responses.items()
            for name in _names(response["description"])
        ]

    def check(self, method: str, pattern: str, response: Response) -> str:
        """The name of the answer or refusal that this is. Raises AssertionError where the document has no such."""
        where = f"{method} {pattern} {response.status}"
        responses = self.operations[method, pattern]["responses"]
        assert str(response.status) in responses, where
        described = responses[str(response.status)]
        self._check_fields(described["headers"], dict(response.headers), where)
        content = described.get("content", {})
        if method == "HEAD" or not content:
            names = _names(described["description"])
            return names[0] if len(set(names)) == 1 else where
        assert response.content_type in content, f"{where} {response.content_type}"
        media = content[response.content_type]
        if "json" not in response.content_type or isinstance(
            response, StreamResponse
        ):  # whose body comes later
            return _names(described["description"])[0]
        body = json.loads(response.body)
        self._validate(body, media["schema"])
        return self._name(body, _names(described["description"]), where)

    def _check_fields(self, described: dict[str, Any], sent: dict[str, str], where: str) -> None:
        for name, header in described.items():
            value = sent.get(name.lower())
            if header.get("required"):
                assert value == header["schema"]["const"], f"{where} {name}: {value}"
        if "Link" in described:
            assert sent["link"].endswith('>; rel="help"'), where
        if "Retry-After" in described and "retry-after" in sent:
            assert int(sent["retry-after"]) >= 1, where
        told = {"retry-after", "location", "allow", "link", "www-authenticate", "preference-applied"} & set(
            sent
        )
        assert told <= {name.lower() for name in described}, f"{where} {told}"

    def _validate(self, body: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self._document["components"]}
        jsonschema.validate(body, whole, cls=jsonschema.Draft202012Validator)

    def _name(self, body: Any, names: list[str], where: str) -> str:
        if (
            isinstance(body, dict)
            and isinstance(told := body.get("error") or body.get("id"), str)
            and told in names
        ):
            return told
        if len(names) == 1:
            return names[0]
        schemas = self._document["components"]["schemas"]
        fitting = [name for name in names if name not in schemas or self._fits(body, schemas[name])]
        assert fitting, where
        return fitting[0]

    def _fits(self, body: Any, schema: dict[str, Any]) -> bool:
        try:
            self._validate(body, schema)
        except jsonschema.ValidationError:
            return False
        return True


def _names(description: str) -> list[str]:
    """The names that the paragraphs of a response's description begin with."""
    return re.findall(r"(?m)^(\w+): ", description)
