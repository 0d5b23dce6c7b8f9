"""Makes the reference of the OpenAPI, AsyncAPI and OpenRPC documents: nothing in it is written by hand."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from regserver.web.reference.entry import (
    ChannelEntry,
    ErrorEntry,
    Field,
    Group,
    MethodEntry,
    OperationEntry,
    Reference,
    ShownMessage,
)
from regserver.web.reference.example import Sample, fill, listening

Document = Mapping[str, Any]

_PARAGRAPH = re.compile(r"(\w+): (.*)", re.DOTALL)
EVENT_STREAM = "text/event-stream"
LAST = ("operations", "documents")
"""Groups that fewest people look for."""
FIRST_REFUSAL = 400
"""Statuses from here on are refusals."""


def build_reference(openapi: Document, asyncapi: Document, openrpc: Document) -> Reference:
    """The reference of the documents."""
    http, sockets, steps = _Http(openapi), _Sockets(asyncapi, openapi), _Steps(openrpc)
    return Reference(
        version=openapi["info"]["version"],
        groups=tuple(http.groups()),
        channels=tuple(sockets.channels()),
        closings=dict(asyncapi["x-close-codes"]),
        methods=tuple(steps.methods()),
        errors=tuple(_merged([*http.errors(), *sockets.errors(), *steps.errors()])),
    )


def _merged(errors: Iterable[ErrorEntry]) -> list[ErrorEntry]:
    """One entry for each name, in the order of names."""
    found: dict[str, ErrorEntry] = {}
    for error in errors:
        before = found.get(error.name)
        if before is not None:
            statuses = tuple(dict.fromkeys((*before.statuses, *error.statuses)))
            meanings = (
                dict.fromkeys((before.meaning, error.meaning)) if error.name.isdigit() else (before.meaning,)
            )
            error = ErrorEntry(error.name, statuses, "; ".join(meanings), before.example or error.example)
        found[error.name] = error
    return [found[name] for name in sorted(found, key=lambda name: (not name[:1].isalpha(), name))]


# --- schemas
class _Shapes:
    """The schemas of one document, in words."""

    def __init__(self, document: Document) -> None:
        self._schemas = document["components"]["schemas"]

    def resolve(self, schema: Document) -> Document:
        """The target of a reference; any other schema unchanged."""
        if "$ref" not in schema:
            return schema
        found: Document = self._schemas[schema["$ref"].rpartition("/")[2]]
        return found

    def fields(self, schema: Document) -> tuple[Field, ...]:
        """The fields of an object; none of anything else."""
        schema = self.resolve(schema)
        required = schema.get("required", ())
        return tuple(
            Field(name, self.kind(part), self._meaning(part), name in required)
            for name, part in schema.get("properties", {}).items()
        )

    def _meaning(self, schema: Document) -> str:
        told = schema.get("description") or next(
            (part["description"] for part in schema.get("anyOf", ()) if "description" in part), ""
        )
        return str(told)

    def kind(self, schema: Document) -> str:
        """A type in words."""
        schema = self.resolve(schema)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return " or ".join(dict.fromkeys(self.kind(part) for part in schema[key]))
        if "const" in schema or "enum" in schema:
            return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
        if schema.get("type") == "array":
            return f"array of {self.kind(schema.get('items', {}))}"
        return str(schema.get("format") or schema.get("type") or "any")


def _limit(document: Document) -> str:
    limit = document["x-rate-limit"]
    return f"{limit['requests']} requests in {limit['seconds']} s" if "requests" in limit else ""


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


# --- HTTP
class _Http:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._shapes = _Shapes(document)

    def _operations(self) -> Iterator[tuple[str, str, Document]]:
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                yield path, method.upper(), operation

    def groups(self) -> Iterator[Group]:
        for tag in sorted(self._document["tags"], key=lambda tag: tag["name"] in LAST):
            entries = tuple(
                self._entry(path, method, operation)
                for path, method, operation in self._operations()
                if tag["name"] in operation["tags"]
            )
            yield Group(tag["name"], tag.get("description", tag["name"]).rstrip("."), entries)

    def _entry(self, path: str, method: str, operation: Document) -> OperationEntry:
        shown = list(self._shown(operation))
        errors: dict[str, list[str]] = {}
        for one in shown:
            if int(one.status) >= FIRST_REFUSAL:
                errors.setdefault(one.status, []).append(one.name)
        media = _media(operation)
        return OperationEntry(
            anchor=operation["operationId"],
            method=method,
            path=path,
            summary=operation["summary"],
            text=operation["description"],
            parameters=tuple(self._parameters(operation)),
            body=self._shapes.fields(_first(media.get("schema", {}))),
            sample=self._sample(path, method, operation, media),
            answers=tuple(one for one in shown if int(one.status) < FIRST_REFUSAL),
            errors=errors,
            limit=_limit(operation),
        )

    def _parameters(self, operation: Document) -> Iterator[Field]:
        for one in operation["parameters"]:
            meaning = one.get("description", "")
            yield Field(
                one["name"], self._shapes.kind(one["schema"]), meaning, one.get("required", False), one["in"]
            )

    def _sample(self, path: str, method: str, operation: Document, media: Document) -> Sample:
        given = {
            one["name"]: one["schema"]["examples"][0]
            for one in operation["parameters"]
            if one["in"] == "path"
        }
        asks_later = any(one["name"] == "Prefer" for one in operation["parameters"])
        return Sample(
            method,
            fill(path, given),
            {"Prefer": "respond-async"} if asks_later else {},
            self._body(media),
            with_token=bool(operation["security"]) and {} not in operation["security"],
            streams=EVENT_STREAM in operation["responses"].get("200", {}).get("content", {}),
        )

    def _body(self, media: Document) -> Any:
        """The example with what is required, and one field more where that is little."""
        example = media.get("example")
        schema = self._shapes.resolve(media.get("schema", {}))
        if not isinstance(example, dict) or "properties" not in schema:
            return example
        names = [name for name in example if name in schema.get("required", ())]
        if len(names) < 2:
            names += [name for name in example if name not in names][:1]
        return {name: example[name] for name in names}

    def _shown(self, operation: Document) -> Iterator[ShownMessage]:
        for status, response in operation["responses"].items():
            meanings = _meanings(response["description"])
            examples: dict[str, Any] = {}
            schemas: dict[str, Document] = {}
            for media in response.get("content", {}).values():
                examples |= {name: one["value"] for name, one in media.get("examples", {}).items()}
                schemas |= dict(_by_name(media["schema"]))
            for name, meaning in meanings.items():
                example = _pretty(examples[name]) if name in examples else ""
                fields = self._shapes.fields(schemas[name]) if name in schemas else ()
                yield ShownMessage(name, meaning, status, fields, example)

    def errors(self) -> Iterator[ErrorEntry]:
        for _, _, operation in self._operations():
            for one in self._shown(operation):
                if int(one.status) >= FIRST_REFUSAL:
                    yield ErrorEntry(one.name, (one.status,), one.meaning, one.example)
        for name, one in self._document["x-elsewhere"].items():
            yield ErrorEntry(name, (str(one["status"]),), one["meaning"], _pretty(one["example"]))
        for name, meaning in self._document["x-messages"].items():
            yield ErrorEntry(name, (), meaning, "")


def _media(operation: Document) -> Document:
    content = operation.get("requestBody", {}).get("content", {})
    found: Document = next(iter(content.values()), {})
    return found


def _first(schema: Document) -> Document:
    found: Document = schema["oneOf"][0] if "oneOf" in schema else schema
    return found


def _by_name(schema: Document) -> Iterator[tuple[str, Document]]:
    for part in schema.get("oneOf", [schema]):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2], part


def _meanings(description: str) -> dict[str, str]:
    """Name → meaning, of the paragraphs of a response's description. One without a name goes on with the meaning before."""
    found: dict[str, str] = {}
    for paragraph in description.split("\n\n"):
        named = _PARAGRAPH.match(paragraph)
        if named is not None:
            found[named[1]] = named[2]
        elif found:
            last = next(reversed(found))
            found[last] = f"{found[last]} {paragraph.strip()}".strip()
    return {name: " ".join(meaning.split()) for name, meaning in found.items()}


# --- WebSockets
class _Sockets:
    def __init__(self, document: Document, openapi: Document) -> None:
        self._document = document
        self._openapi = openapi
        self._shapes = _Shapes(document)

    def channels(self) -> Iterator[ChannelEntry]:
        for name, channel in self._document["channels"].items():
            shown = [self._message(each) for each in channel["messages"]]
            query = channel["bindings"]["ws"]["query"]["properties"]
            stream = self._stream(name)
            path = fill(channel["address"], dict.fromkeys(channel["parameters"], _REGISTRATION))
            in_path = [
                Field(each, "string", told["description"], True, "path")
                for each, told in channel["parameters"].items()
            ]
            in_query = [
                Field(each, self._shapes.kind(schema), schema["description"], False, "query")
                for each, schema in query.items()
            ]
            yield ChannelEntry(
                name=name,
                path=channel["address"],
                parameters=(*in_path, *in_query),
                script=listening(path, with_ticket="ticket" in query),
                frames=tuple(one for one in shown if one.example),
                words=tuple(one for one in shown if not one.example),
                stream=stream,
                limit=_limit(channel),
            )

    def _stream(self, name: str) -> str:
        """The operation by which the same comes as Server-Sent Events."""
        for operations in self._openapi["paths"].values():
            for operation in operations.values():
                content = operation["responses"].get("200", {}).get("content", {})
                if name in operation["tags"] and EVENT_STREAM in content:
                    return str(operation["operationId"])
        return ""

    def _message(self, name: str) -> ShownMessage:
        message = self._document["components"]["messages"][name]
        if message.get("contentType") == "text/plain":
            return ShownMessage(name, message["summary"])
        fields = self._shapes.fields(message["payload"])
        return ShownMessage(name, message["summary"], "", fields, _pretty(message["examples"][0]["payload"]))

    def errors(self) -> Iterator[ErrorEntry]:
        for channel in self.channels():
            for word in channel.words:
                yield ErrorEntry(word.name, ("WebSocket",), word.meaning, "")
        for status, one in self._document["x-handshake-refusals"].items():
            yield ErrorEntry(one["error"], (status,), one["meaning"], _pretty({"error": one["error"]}))


_REGISTRATION = "u-6f1c9b1e-0f5a-4c3e-9d1b-2f6f1c9b1e0f"


# --- registration steps
class _Steps:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._shapes = _Shapes(document)

    def methods(self) -> Iterator[MethodEntry]:
        for method in self._document["methods"]:
            errors: dict[str, list[str]] = {}
            for error in method["errors"]:
                errors.setdefault(str(error["code"]), []).append(error["message"])
            yield MethodEntry(
                name=method["name"],
                summary=method["summary"],
                parameters=tuple(
                    Field(one["name"], self._shapes.kind(one["schema"]), one["description"], one["required"])
                    for one in method["params"]
                ),
                result=self._shapes.fields(method["result"]["schema"]),
                sample=Sample("POST", "/rpc", body=_call(method)),
                errors=errors,
            )

    def errors(self) -> Iterator[ErrorEntry]:
        for method in self._document["methods"]:
            for error in method["errors"]:
                example = _pretty({"jsonrpc": "2.0", "id": 1, "error": error})
                yield ErrorEntry(str(error["code"]), ("200",), error["message"], example)


def _call(method: Document) -> dict[str, Any]:
    """A call with what is required, and a phone where a contact is."""
    params = {
        one["name"]: one["schema"]["examples"][0]
        for one in method["params"]
        if one["required"] or one["name"] == "phone"
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method["name"], "params": params}
