"""The configuration in force as TOML, secrets masked."""

import re
from collections.abc import Iterable

import msgspec

from regserver.config.section import Keys, Secret, Section
from regserver.config.unit import format_value


def show(settings: Section, at: Keys = ()) -> Iterable[str]:
    """The settings as lines of TOML, secrets masked."""
    values = {field.encode_name: getattr(settings, field.name) for field in msgspec.structs.fields(settings)}
    for name, value in values.items():
        if not isinstance(value, Section):
            yield f"{name} = {_toml(value)}"
    for name, value in values.items():
        if isinstance(value, Section):
            path = (*at, name)
            yield from ("", f"[{'.'.join(path)}]", *show(value, path))


def _toml(value: object) -> str:
    match value:
        case Secret():
            return _toml(_masked(value))
        case bool() | str():  # written in TOML as in JSON
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
    """A URL without its password; "…" for any other secret that is set."""
    if "://" in secret or secret.startswith(("sqlite:", "log:")):
        return mask_url(secret)
    return "…" if secret else ""


def mask_url(url: str) -> str:
    """A URL without the password of its user."""
    return re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:…@", url)
