"""JSON Schemas of wire types, and examples made of the examples of their fields."""

import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from regserver.web.http.pipeline import Parameters

Schema = dict[str, Any]

TEMPLATE = "#/components/schemas/{name}"


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; any other type alone."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(part for argument in get_args(annotation) for part in members(argument))
    return (annotation,)


class Schemas:
    """The schemas of one document. Structs become its components, and schemas refer to them."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, annotation: Any) -> Schema:
        """The schema of a type. Unions may hold Structs that msgspec could not tell apart."""
        parts = members(annotation)
        if len(parts) > 1:
            return {"oneOf": [self.of(part) for part in parts]}
        if get_origin(annotation) is list:
            return {"type": "array", "items": self.of(*get_args(annotation)), "minItems": 1}
        (schema,), components = msgspec.json.schema_components([annotation], ref_template=TEMPLATE)
        self.components |= _opened(components)
        return dict(_opened(schema))

    def asked(self, annotation: Any) -> Schema:
        """The schema of a body that clients send. Without defaults, by which generators take a field for one that is always there."""
        before = self.components
        self.components = {}
        schema = self.of(annotation)
        self.components = before | {name: _undefaulted(part) for name, part in self.components.items()}
        return schema

    def parameter(self, place: str, name: str, annotation: Any) -> Schema:
        """A parameter of an operation. place: "path", "query" or "header"."""
        schema = _given(self.of(annotation))
        meaning = {"description": schema.pop("description")} if "description" in schema else {}
        return {"name": name, "in": place, "required": place == "path", **meaning, "schema": schema}

    def add(self, name: str, schema: Schema) -> Schema:
        """Adds a schema as a component; returns a reference to it."""
        self.components[name] = schema
        return {"$ref": TEMPLATE.format(name=name)}

    def resolve(self, schema: Schema) -> Schema:
        """The target of a reference; any other schema unchanged."""
        if "$ref" in schema:
            return self.components[schema["$ref"].rpartition("/")[2]]
        return schema

    def example(self, schema: Schema) -> Any:
        """A valid value, made of the examples of the schema's parts."""
        schema = self.resolve(schema)
        for key in ("examples", "enum"):
            if key in schema:
                return schema[key][0]
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return self.example(schema[key][0])
        match schema.get("type"):
            case "object":
                return {name: self.example(part) for name, part in schema.get("properties", {}).items()}
            case "array":
                return [self.example(schema["items"])]
            case "boolean":
                return True
            case _:
                raise ValueError(f"a field without an example: {schema}")


def _opened(schema: Any) -> Any:
    """The same, where objects of any members say so: generators take silence for an object without members."""
    if isinstance(schema, list):
        return [_opened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    opened = {key: _opened(value) for key, value in schema.items()}
    if schema.get("type") == "object" and not {"properties", "additionalProperties"} & schema.keys():
        opened["additionalProperties"] = True
    return opened


def _undefaulted(schema: Any) -> Any:
    """The same without the defaults of fields."""
    if isinstance(schema, list):
        return [_undefaulted(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _undefaulted(value) for key, value in schema.items() if key != "default"}


def _given(schema: Schema) -> Schema:
    """The schema of a parameter that is there: one that is left out is not null."""
    if "anyOf" not in schema:
        return schema
    (given,) = (part for part in schema["anyOf"] if part != {"type": "null"})
    return {**given, **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}


def parameters(kind: type[Parameters], schemas: Schemas) -> list[Schema]:
    """The query and header parameters of a Struct's fields."""
    hints = get_type_hints(kind, include_extras=True)
    return [
        schemas.parameter(*_place(field, hints[field.name]), hints[field.name])
        for field in msgspec.structs.fields(kind)
    ]


def _place(field: msgspec.structs.FieldInfo, hint: Any) -> tuple[str, str]:
    """The place and the name of a parameter."""
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.extra:
            return "header", meta.extra["header"]
    return "query", field.encode_name
