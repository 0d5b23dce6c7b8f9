"""The tree of plain values as settings, and each value that is no setting, with what was expected and may be meant."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec

from regserver.config.section import Fault, Keys, Secret, fields_of, plain_type
from regserver.config.setting import Settings
from regserver.config.unit import Size, read_duration, read_size
from regserver.domain.instant import Duration

_KINDS = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""msgspec's names of types, and the words of our messages."""
_EXAMPLES = {"a string": '"…"', "a list": '["…"]', "a table": '{ name = "…" }'}
_CLOSE = 0.6
"""How near a word must be to be suggested, as difflib measures it."""


def convert(tree: Mapping[str, Any], faults: list[Fault]) -> Settings:
    """The settings; what cannot be used is added to `faults`, and has its default."""
    settings: Settings = _section(Settings, tree, (), faults)
    return settings


def _section(kind: Any, tree: Mapping[str, Any], at: Keys, faults: list[Fault]) -> Any:
    types = fields_of(kind)
    values = {}
    for key, value in tree.items():
        keys = (*at, key)
        if key not in types:
            faults.append((keys, f"unknown key; {_known(keys, types)}"))
        elif fields_of(types[key]) and isinstance(value, dict):
            values[key] = _section(types[key], value, keys, faults)
        else:
            try:
                values[key] = msgspec.convert(value, types[key], dec_hook=_read)
            except msgspec.ValidationError as error:
                faults.append(_fault_of(error, keys, value))
    names = {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
    return kind(**{names[key]: value for key, value in values.items()})


def _known(keys: Keys, types: Mapping[str, Any]) -> str:
    """What an unknown key may mean: a similar one here, the same one elsewhere, or one of those that are known here."""
    if near := difflib.get_close_matches(keys[-1], types, 2, _CLOSE):
        return f"did you mean {' or '.join('.'.join((*keys[:-1], key)) for key in near)}?"
    if elsewhere := [".".join(place) for place in _places(Settings) if place[-1] == keys[-1]]:
        return f"did you mean {' or '.join(elsewhere[:3])}?"
    return f"known here: {', '.join(types)}"


def _places(kind: Any, at: Keys = ()) -> Iterator[Keys]:
    for key, inner in fields_of(kind).items():
        yield (*at, key)
        yield from _places(inner, (*at, key))


def _fault_of(error: msgspec.ValidationError, keys: Keys, value: Any) -> Fault:
    """msgspec's message about a value, in plain words."""
    text, _, place = str(error).partition(" - at `$")
    inner = [key for key in re.split(r"[.\[\]`]+", place) if key and key != "..."]
    for key in inner:
        if isinstance(value, list | dict):
            value = value[int(key)] if isinstance(value, list) else value.get(key)
    keys = (*keys, *inner)
    kind = _inner_type(keys)
    if get_origin(kind) is Literal:
        return keys, _choices(get_args(kind), value)
    for word, meaning in _KINDS.items():
        text = text.replace(f"`{word}`", meaning)
    expected, comma, got = text.partition(", got ")
    example = _EXAMPLES.get(expected.removeprefix("Expected "), "")
    suggestion = _meant(value, kind)
    if suggestion:
        return keys, f"{text[:1].lower()}{text[1:]}; did you mean {suggestion}?"
    return keys, f"{expected[:1].lower()}{expected[1:]}{f' such as {example}' if example else ''}{comma}{got}"


def _inner_type(keys: Keys) -> Any:
    kind: Any = Settings
    for key in keys:
        match get_origin(kind):
            case origin if origin is dict:
                kind = plain_type(get_args(kind)[1])
            case origin if origin is tuple:
                kind = plain_type(get_args(kind)[0])
            case _:
                kind = plain_type(fields_of(kind).get(key))
    return kind


def _choices(words: tuple[str, ...], value: Any) -> str:
    expected = "expected " + " or ".join(f'"{word}"' for word in words)
    near = difflib.get_close_matches(str(value).lower(), words, 1, _CLOSE)
    return f'{expected}; did you mean "{near[0]}"?' if near else expected


def _meant(value: Any, kind: Any) -> str:
    """The same value as TOML has it for this type, where that is clear; never a secret."""
    text = str(value).strip()
    if "Secret" in str(kind):
        return ""
    if isinstance(value, str):
        if get_origin(kind) is tuple and text:
            return (
                f"""["{text.replace(",", '", "').replace('" ', '"')}"]"""
                if "://" not in text
                else f'["{text}"]'
            )
        if kind in {int, float} and re.fullmatch(r"[0-9]{1,9}", text):
            return text
        if kind is bool and text.lower() in {"true", "false", "yes", "no", "on", "off"}:
            return "true" if text.lower() in {"true", "yes", "on"} else "false"
    if kind is bool and type(value) is int and value in {0, 1}:
        return "true" if value else "false"
    return f'"{text}"' if kind is str and type(value) in {int, float} else ""


def _read(kind: Any, value: Any) -> Any:
    return _READERS[kind](value)


def _read_secret(value: object) -> Secret:
    if not isinstance(value, str):
        raise ValueError("expected a string")
    return Secret(value)


_READERS: dict[Any, Callable[[Any], Any]] = {Duration: read_duration, Secret: _read_secret, Size: read_size}
"""The types that msgspec does not know, each with the function that reads it."""
