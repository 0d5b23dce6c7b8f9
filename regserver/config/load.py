"""Reading the configuration: file, environment and flags into one checked tree.

Sources of values, in rising precedence: the defaults, the TOML file, the environment (REGSERVER_SECTION__KEY),
`--set section.key=value`. All go into one tree of plain values; `Origins` has the source of each value, so that every
message can name it. No other module reads settings from the environment.

By hand instead of pydantic-settings: the types are msgspec's, and no library reports the source of a bad value.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from regserver.config.check import faults
from regserver.config.section import Keys, Secret, fields_of, plain_type
from regserver.config.setting import Loaded, Settings
from regserver.config.text_file import read_text
from regserver.config.unit import Size, read_duration, read_size
from regserver.domain.instant import Duration

ENV_PREFIX = "REGSERVER_"
_KINDS = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""msgspec's names of types, and the words of our messages."""
_WORDS_OF_BOOL = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
FILE_VARIABLE = "REGSERVER_CONFIG"
"""The configuration's file, for `regserver.app.create_app`."""
_OF_A_CLUSTER = re.compile(r"REGSERVER_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_\w+)?)?)")
"""What Kubernetes and Docker give every program beside a service of our name."""
SEARCHED = (Path("regserver.toml"), Path("/etc/regserver/regserver.toml"))


class ConfigFault(Exception):
    """The configuration cannot be used. The message names the source, the key and the expected value."""


Origins = dict[Keys, str]


def load(
    file: Path | None = None, overrides: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> Loaded:
    """Reads and checks all settings. file: None looks at the SEARCHED places. Raises ConfigFault."""
    path = file or next((place for place in SEARCHED if place.is_file()), None)
    tree: dict[str, Any] = {}
    origins: Origins = {}
    if path is not None:
        _merge(tree, origins, _read_file(path), str(path))
    for keys, value, origin in _environment(os.environ if environment is None else environment):
        _put(tree, origins, keys, value, origin)
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise ConfigFault(f"--set {override}: expected section.key=value")
        _put(tree, origins, tuple(name.strip().split(".")), value, f"--set {name}")
    _check_keys(tree, Settings, (), origins)
    return Loaded(_convert(tree, origins), path)


def settings_of(given: Mapping[str, Any], origin: str) -> Settings:
    """Checks settings that a program gives, as a tree like that of the file. origin: named in faults. Raises ConfigFault."""
    tree: dict[str, Any] = {}
    origins: Origins = {}
    _merge(tree, origins, dict(given), origin)
    _check_keys(tree, Settings, (), origins)
    return _convert(tree, origins)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except OSError as error:
        raise ConfigFault(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigFault(f"{path}: not valid TOML: {error}") from None
    except ValueError as error:
        raise ConfigFault(f"{path}: {error}") from None


def _environment(environment: Mapping[str, str]) -> Iterable[tuple[Keys, str, str]]:
    """The settings in the environment. A name with our prefix that is no setting would be ignored in silence: it is refused."""
    for name in sorted(environment):
        if not name.startswith(ENV_PREFIX) or name == FILE_VARIABLE or _OF_A_CLUSTER.fullmatch(name):
            continue
        keys = tuple(part.lower() for part in name.removeprefix(ENV_PREFIX).split("__"))
        if _type_at(keys) is None:
            near = difflib.get_close_matches(name, known := _variables(Settings), 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"names look like {known[0]}"
            raise ConfigFault(f"environment {name}: no setting has this name; {hint}")
        yield keys, environment[name], f"environment {name}"


def _variables(kind: Any, at: str = ENV_PREFIX) -> list[str]:
    """The names of all variables for the settings below `at`."""
    names = []
    for key, inner in fields_of(kind).items():
        below = _variables(inner, f"{at}{key.upper()}__")
        names += below or [f"{at}{key.upper()}"]
    return names


def _merge(tree: dict[str, Any], origins: Origins, new: dict[str, Any], origin: str, at: Keys = ()) -> None:
    for key, value in new.items():
        path = (*at, key)
        origins[path] = origin
        if isinstance(value, dict):
            tree[key] = {}
            _merge(tree[key], origins, value, origin, path)
        else:
            tree[key] = value


def _put(tree: dict[str, Any], origins: Origins, keys: Keys, text: str, origin: str) -> None:
    node = tree
    for depth, key in enumerate(keys[:-1], 1):
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ConfigFault(f"{origin}: {'.'.join(keys[:depth])} is a value, not a section")
        node = child
        origins.setdefault(keys[:depth], origin)
    node[keys[-1]] = _from_text(text, _type_at(keys))
    origins[keys] = origin


def _from_text(text: str, wanted: Any) -> Any:
    """A value from the environment or the command line: text where a string is wanted, else TOML, else a list."""
    if wanted in _NUMBERS and re.fullmatch("[0-9]{1,9}", text):
        return int(text)
    if wanted in {str, *_READERS} or get_origin(wanted) is Literal:
        return text
    if wanted is bool and (word := text.strip().lower()) in _WORDS_OF_BOOL:
        return _WORDS_OF_BOOL[word]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return parts if get_origin(wanted) is tuple else text


def _type_at(keys: Keys) -> Any:
    """The type of a setting; None for an unknown key, which `_check_keys` reports later."""
    kind: Any = Settings
    for key in keys:
        table = get_origin(kind) is dict
        kind = get_args(kind)[1] if table else plain_type(fields_of(kind).get(key))
    return kind


def _check_keys(tree: Mapping[str, Any], kind: Any, at: Keys, origins: Origins) -> None:
    fields = fields_of(kind)
    for key, value in tree.items():
        path = (*at, key)
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1, 0.6)
            hint = f"did you mean {'.'.join((*at, *near))}?" if near else f"known here: {', '.join(fields)}"
            raise ConfigFault(f"{origins.get(path, 'configuration')}: unknown key {'.'.join(path)}; {hint}")
        if isinstance(value, dict) and fields_of(fields[key]):
            _check_keys(value, fields[key], path, origins)


def _convert(tree: dict[str, Any], origins: Origins) -> Settings:
    try:
        settings = msgspec.convert(tree, Settings, dec_hook=lambda kind, value: _READERS[kind](value))
    except msgspec.ValidationError as error:
        raise _fault_of(error, origins) from None
    for keys, expected in faults(settings):
        raise ConfigFault(f"{origins.get(keys, 'configuration')}: {'.'.join(keys)}: expected {expected}")
    return settings


def _fault_of(error: msgspec.ValidationError, origins: Origins) -> ConfigFault:
    """msgspec's message about a value, in plain words and with the value's origin."""
    text, _, place = str(error).partition(" - at `$")
    keys = tuple(key for key in re.split(r"[.\[\]`]+", place) if key and key != "...")
    places = (origins.get(keys[:length]) for length in range(len(keys), 0, -1))
    kind = _type_at(keys)
    if get_origin(kind) is Literal:
        text = f"expected {' or '.join(map(repr, get_args(kind)))}".replace("'", '"')
    for word, meaning in _KINDS.items():
        text = text.replace(f"`{word}`", meaning)
    origin, shown = next(filter(None, places), "configuration"), ".".join(keys) or "configuration"
    return ConfigFault(f"{origin}: {shown}: {text[:1].lower()}{text[1:]}")


def _read_secret(value: object) -> Secret:
    if not isinstance(value, str):
        raise ValueError("expected a string")
    return Secret(value)


_NUMBERS = (Duration, Size)
"""Settings that may also be a bare number."""
_READERS: dict[Any, Callable[[Any], Any]] = {Duration: read_duration, Secret: _read_secret, Size: read_size}
"""The types that msgspec does not know, each with the function that reads it."""
