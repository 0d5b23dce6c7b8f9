"""The configuration in force, secrets masked: as lines of TOML, or as plain values."""

import tomllib
from collections.abc import Iterable
from typing import Any

import msgspec

from regserver.config.mask import MASK, MASKS, mask_url
from regserver.config.section import Keys, Secret, Section
from regserver.config.unit import format_value


def show(settings: Section, at: Keys = ()) -> Iterable[str]:
    """The settings as lines of TOML, secrets masked."""
    values = {field.encode_name: getattr(settings, field.name) for field in msgspec.structs.fields(settings)}
    for name, value in values.items():
        if not isinstance(value, Section):
            mask = MASKS.get((*at, name))
            yield f"{name} = {_toml(mask(value) if mask else value)}"
    for name, value in values.items():
        if isinstance(value, Section):
            path = (*at, name)
            yield from ("", f"[{'.'.join(path)}]", *show(value, path))


def masked(settings: Section, at: Keys = ()) -> dict[str, Any]:
    """The same as plain values, by section and name. What has a unit is text as in TOML."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(settings):
        value, path = getattr(settings, field.name), (*at, field.encode_name)
        if isinstance(value, Section):
            values[field.encode_name] = masked(value, path)
        else:
            mask = MASKS.get(path)
            values[field.encode_name] = _plain(mask(value) if mask else value)
    return values


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case _:
            (read,) = tomllib.loads(f"value = {_toml(value)}").values()
            return read


def _toml(value: object) -> str:
    match value:
        case Secret():
            return _toml(_masked(value))
        case str() if "://" in value:
            return msgspec.json.encode(mask_url(value)).decode()
        case bool() | str() | float():  # written in TOML as in JSON
            return msgspec.json.encode(value).decode()
        case int():
            return format_value(value)
        case tuple():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case dict():
            return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
        case _:
            raise TypeError(type(value))


def _masked(secret: Secret) -> str:
    """A URL without its secrets; any other secret that is set is masked whole."""
    if "://" in secret or secret.startswith(("sqlite:", "log:")):
        return mask_url(secret)
    return MASK if secret else ""
