"""The base of all sections of the settings: the base class, secrets, and the range of a number."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from regserver.config.unit import format_value

Keys = tuple[str, ...]
Fault = tuple[Keys, str]
"""The keys of a value, and the expected value."""


class Secret(str):
    """A string that neither repr nor `config show` prints."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')" if self else "Secret('')"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: a key that is no field is refused."""


def within(least: int, most: int) -> msgspec.Meta:
    """The range of a number, both ends included: bytes for a Size, milliseconds for a Duration.

    Meta's own `ge` and `le` are refused for types that msgspec does not know, and their message names no unit.
    """
    return msgspec.Meta(extra={"least": least, "most": most})


def fields_of(kind: Any) -> dict[str, Any]:
    """The keys of a section with their types; empty for any other type."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    return {}


def plain_type(kind: Any) -> Any:
    """A field's type without its range."""
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def out_of_range(section: Section, at: Keys = ()) -> Iterator[Fault]:
    """Each number outside its range, and the expected range."""
    for field in msgspec.structs.fields(section):
        keys, value = (*at, field.encode_name), getattr(section, field.name)
        if isinstance(value, Section):
            yield from out_of_range(value, keys)
        for meta in getattr(field.type, "__metadata__", ()):
            least, most = meta.extra["least"], meta.extra["most"]
            if not least <= value <= most:
                kind = type(value)
                low, high = format_value(kind(least)), format_value(kind(most))
                yield keys, f"{low} to {high}, not {format_value(value)}"
