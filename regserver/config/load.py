"""Reading the configuration: file, environment and flags into one checked tree.

Sources of values, in rising precedence: the defaults, the TOML file, the environment (REGSERVER_SECTION__KEY),
`--set section.key=value`. All go into one tree of plain values, which keeps where each stands, so that every message can
name it. No other module reads settings from the environment.

    tree → convert: types → check: ranges and conditions → regserver.app.preflight: the files that the settings name

Each step goes on past a fault, with the default in place of the value, so that all faults are told at once.

By hand instead of pydantic-settings: the types are msgspec's, and no library reports the source of a bad value.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from regserver.config.check import faults as check_faults
from regserver.config.convert import convert
from regserver.config.fault import ConfigFault, fault_lines
from regserver.config.section import Fault, Keys
from regserver.config.setting import Loaded, Settings
from regserver.config.tree import Tree

SEARCHED = (Path("regserver.toml"), Path("/etc/regserver/regserver.toml"))


class Reading(msgspec.Struct, frozen=True):
    """What was read. loaded: with defaults in place of what cannot be used. faults: all that is wrong with it."""

    loaded: Loaded
    faults: tuple[Fault, ...]

    def touches(self, keys: Keys) -> bool:
        """Whether something is wrong with this setting, or in this section."""
        return any(
            fault[: len(keys)] == keys or keys[: len(fault)] == fault for fault, _ in self.faults if fault
        )

    def refuse(self, more: Iterable[Fault] = ()) -> Loaded:
        """The settings. more: further faults. Raises ConfigFault with all faults."""
        loaded, faults = self.loaded, [*self.faults, *more]
        if faults:
            raise ConfigFault(*fault_lines(faults, loaded.origins, loaded.file))
        return loaded


def load(
    file: Path | None = None, overrides: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> Loaded:
    """Reads and checks all settings, but no file that they name; parameters as of `read`. Raises ConfigFault."""
    return read(file, overrides, environment).refuse()


def read(
    file: Path | None = None, overrides: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> Reading:
    """Reads all settings, and what is wrong with them.

    file: None looks at the SEARCHED places. overrides: each "section.key=value". environment: by default that of the
    process. Raises ConfigFault where the file is no TOML.
    """
    path = file or next((place for place in SEARCHED if place.is_file()), None)
    tree = Tree()
    if path is not None:
        tree.take_file(path)
    tree.take_environment(os.environ if environment is None else environment)
    tree.take_overrides(overrides)
    return _checked(tree, path)


def settings_of(given: Mapping[str, Any], origin: str) -> Settings:
    """Checks settings that a program gives, as a tree like that of the file. origin: named in faults. Raises ConfigFault."""
    tree = Tree()
    tree.take_values(given, origin)
    return _checked(tree, None).refuse().settings


def _checked(tree: Tree, path: Path | None) -> Reading:
    settings = convert(tree.values, tree.faults)
    wrong = {keys for keys, _ in tree.faults}
    tree.faults += [(keys, f"expected {text}") for keys, text in check_faults(settings) if keys not in wrong]
    return Reading(Loaded(settings, path, tree.origins), tuple(tree.faults))
