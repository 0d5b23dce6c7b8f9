"""The sources of values as one tree of plain values: the file, the environment, `--set section.key=value`."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from regserver.config.fault import ConfigFault, Origin
from regserver.config.section import Fault, Keys, Secret, fields_of, plain_type
from regserver.config.setting import Settings
from regserver.config.text_file import read_text
from regserver.config.toml_line import toml_lines
from regserver.config.unit import Size
from regserver.domain.instant import Duration

ENV_PREFIX = "REGSERVER_"
FILE_VARIABLE = "REGSERVER_CONFIG"
"""The configuration's file, for `regserver.app.create_app`."""
_OF_A_CLUSTER = re.compile(r"REGSERVER_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_\w+)?)?)")
"""What Kubernetes and Docker give every program beside a service of our name."""
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
_QUOTES = """text stands in quotes, as in level = "info"; numbers, true and false stand without"""
_TOML_HINTS = {
    "Invalid value": _QUOTES,
    "Expected newline or end of document": _QUOTES,
    "Unescaped": """text with a backslash stands in single quotes: 'C:\\path'""",
    "Cannot overwrite a value": "this key is there twice",
    "Cannot declare": "this section is there twice",
}
"""What our readers of tomllib's messages may have meant."""


class Tree:
    """values: nested by section. origins: where each stands. faults: of what is no setting at all."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[Keys, Origin] = {}
        self.faults: list[Fault] = []

    def take_file(self, path: Path) -> None:
        """Reads a TOML file. Raises ConfigFault."""
        try:
            text = read_text(path)
            tree = tomllib.loads(text)
        except OSError as error:
            raise ConfigFault(f"{path}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigFault(_toml_fault(path, error)) from None
        except ValueError as error:
            raise ConfigFault(f"{path}: {error}") from None
        self._merge(self.values, tree, str(path), toml_lines(text))

    def take_values(self, given: Mapping[str, Any], source: str) -> None:
        """Takes a tree like that of a file."""
        self._merge(self.values, dict(given), source, {})

    def _merge(
        self, tree: dict[str, Any], new: dict[str, Any], source: str, lines: Mapping[Keys, int], at: Keys = ()
    ) -> None:
        for key, value in new.items():
            path = (*at, key)
            self.origins[path] = Origin(source, lines.get(path) or lines.get(at, 0))
            if isinstance(value, dict):
                tree[key] = {}
                self._merge(tree[key], value, source, lines, path)
            else:
                tree[key] = value

    def take_environment(self, environment: Mapping[str, str]) -> None:
        """Takes the variables. A name with our prefix that is no setting would be ignored in silence: it is a fault."""
        for name in sorted(environment):
            if not name.startswith(ENV_PREFIX) or name == FILE_VARIABLE or _OF_A_CLUSTER.fullmatch(name):
                continue
            keys = tuple(part.lower() for part in name.removeprefix(ENV_PREFIX).split("__"))
            if type_at(keys) is None:
                near = difflib.get_close_matches(name, known := list(_variables(Settings)), 1, 0.6)
                hint = f"did you mean {near[0]}?" if near else f"names look like {known[0]}"
                self.faults.append(((), f"environment {name}: no setting has this name; {hint}"))
            else:
                self._put(keys, environment[name], f"environment {name}")

    def take_overrides(self, overrides: Iterable[str]) -> None:
        """Takes each "section.key=value"."""
        for override in overrides:
            name, equals, value = override.partition("=")
            if equals:
                self._put(tuple(name.strip().split(".")), value, f"--set {name}")
            else:
                self.faults.append(((), f"--set {override}: expected section.key=value"))

    def _put(self, keys: Keys, text: str, source: str) -> None:
        node = self.values
        for depth, key in enumerate(keys[:-1], 1):
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                self.faults.append(((), f"{source}: {'.'.join(keys[:depth])} is a value, not a section"))
                return
            node = child
            self.origins.setdefault(keys[:depth], Origin(source, is_opened=True))
        node[keys[-1]] = _from_text(text, type_at(keys))
        self.origins[keys] = Origin(source)


def _toml_fault(path: Path, error: Exception) -> str:
    """tomllib's message with its line in front, and what may be meant."""
    text, _, place = str(error).partition(" (at line ")
    line, _, column = place.rstrip(")").partition(", column ")
    if not line.isdecimal():
        return f"{path}: not valid TOML: {error}"
    hint = next((f"; {hint}" for start, hint in _TOML_HINTS.items() if text.startswith(start)), "")
    return f"{path}:{line}: not valid TOML: {text} at column {column}{hint}"


def _variables(kind: Any, at: str = ENV_PREFIX) -> Iterator[str]:
    """The names of all variables for the settings below `at`."""
    for key, inner in fields_of(kind).items():
        below = list(_variables(inner, f"{at}{key.upper()}__"))
        yield from below or [f"{at}{key.upper()}"]


def _from_text(text: str, wanted: Any) -> Any:
    """A value from the environment or the command line: text where a string is wanted, else TOML, else a list."""
    if wanted in {Duration, Size} and re.fullmatch("[0-9]{1,9}", text):
        return int(text)
    if wanted in {str, Duration, Secret, Size} or get_origin(wanted) is Literal:
        return text
    if wanted is bool and (word := text.strip().lower()) in _WORDS_OF_BOOL:
        return _WORDS_OF_BOOL[word]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return parts if get_origin(wanted) is tuple else text


def type_at(keys: Keys) -> Any:
    """The type of a setting; None for an unknown key, which `convert` reports later."""
    kind: Any = Settings
    for key in keys:
        table = get_origin(kind) is dict
        kind = get_args(kind)[1] if table else plain_type(fields_of(kind).get(key))
    return kind
