"""The configuration in force as TOML, secrets masked."""

import re
from collections.abc import Iterable

import msgspec

from regserver.config.section import Keys, Secret, Section
from regserver.config.unit import format_value


def show(settings: Section, at: Keys = ()) -> Iterable[str]:
    """The settings as lines of TOML, secrets masked."""
    inner: list[tuple[str, Section]] = []
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Section):
            inner.append((field.encode_name, value))
        else:
            yield f"{field.encode_name} = {_toml(value)}"
    for name, section in inner:
        path = (*at, name)
        yield ""
        yield f"[{'.'.join(path)}]"
        yield from show(section, path)


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Secret():
            return _toml(_masked(value))
        case int():
            return format_value(value)
        case str():
            return msgspec.json.encode(value).decode()
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
