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


LEAST_SECRET_LENGTH = 16


def unguessable() -> msgspec.Meta:
    """Marks a secret that strangers may try to guess: it is empty, or has at least LEAST_SECRET_LENGTH characters."""
    return msgspec.Meta(extra={"least_length": LEAST_SECRET_LENGTH})


def fields_of(kind: Any) -> dict[str, Any]:
    """The keys of a section with their types; empty for any other type."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    return {}


def plain_type(kind: Any) -> Any:
    """A field's type without its range."""
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def out_of_range(section: Section, at: Keys = ()) -> Iterator[Fault]:
    """Each number outside its range and each secret that is too short, with the expected value."""
    for field in msgspec.structs.fields(section):
        keys, value = (*at, field.encode_name), getattr(section, field.name)
        if isinstance(value, Section):
            yield from out_of_range(value, keys)
        for meta in getattr(field.type, "__metadata__", ()):
            if (expected := _expected(value, meta.extra)) is not None:
                yield keys, expected


def _expected(value: Any, bounds: dict[str, int]) -> str | None:
    """What a value outside its bounds should be; None for one within them."""
    if shortest := bounds.get("least_length"):
        return f"at least {shortest} characters" if 0 < len(value) < shortest else None
    if bounds["least"] <= value <= bounds["most"]:
        return None
    low, high = (format_value(type(value)(bounds[end])) for end in ("least", "most"))
    return f"{low} to {high}, not {format_value(value)}"
