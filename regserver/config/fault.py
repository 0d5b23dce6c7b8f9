"""What is wrong with a configuration: all of it at once, one line for each fault."""

from collections.abc import Iterable, Mapping

import msgspec

from regserver.config.section import Fault, Keys


class ConfigFault(Exception):
    """The configuration cannot be used. faults: lines for the operator, each with its source, key and the expected value."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Origin(msgspec.Struct, frozen=True):
    """Where a value stands.

    source: a file, "environment NAME" or "--set KEY". line: of the file; 0 without one. is_opened: a section that the environment
    or --set has opened for one of its settings.
    """

    source: str
    line: int = 0
    is_opened: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


Origins = Mapping[Keys, Origin]


def origin_of(keys: Keys, origins: Origins, file: object) -> Origin:
    """Where a value stands; of one that is nowhere, where its section does in the file. file: of the configuration, or None.

    A section that only another setting of --set or the environment has opened says nothing of this one.
    """
    if keys in origins:
        return origins[keys]
    places = (origins.get(keys[:length]) for length in range(len(keys) - 1, 0, -1))
    found = next(filter(None, places), None)
    return Origin(str(file or "configuration")) if found is None or found.is_opened else found


def fault_lines(faults: Iterable[Fault], origins: Origins, file: object) -> tuple[str, ...]:
    """Each fault as one line, in the order of the file. A fault without keys is a line already."""
    placed = [(origin_of(keys, origins, file) if keys else Origin(""), keys, text) for keys, text in faults]
    placed.sort(key=lambda fault: (fault[0].line == 0, fault[0].line))
    return tuple(_line(origin, ".".join(keys), text) for origin, keys, text in placed)


def _line(origin: Origin, name: str, text: str) -> str:
    if not name:
        return text
    return f"{origin}: {text}" if origin.source == f"--set {name}" else f"{origin}: {name}: {text}"
