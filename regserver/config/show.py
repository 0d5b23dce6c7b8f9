"""The configuration in force as TOML, secrets masked."""

from collections.abc import Iterable

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
