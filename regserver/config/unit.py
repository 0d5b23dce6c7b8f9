"""Durations and sizes: their notation ("45s", "256KiB") and their types."""

import re
from collections.abc import Mapping

from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Duration

KIB, MIB, GIB = 1024, 1024**2, 1024**3

_DURATION_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": 1}
_SIZE_UNITS = {"GiB": GIB, "MiB": MIB, "KiB": KIB, "B": 1}


class Size(int):
    """A number of bytes."""

    __slots__ = ()


def read_duration(value: object) -> Duration:
    """A duration such as "45s"; a bare number is in seconds. Raises ValueError."""
    return Duration(_read(value, _DURATION_UNITS, 'a duration such as "45s", "10m" or "7d"', SECOND))


def read_size(value: object) -> Size:
    """A size such as "256KiB"; a bare number is in bytes. Raises ValueError."""
    return Size(_read(value, _SIZE_UNITS, 'a size such as "256KiB"', 1))


def _read(value: object, units: Mapping[str, int], expected: str, bare: int) -> int:
    if type(value) is int and value >= 0:
        return value * bare
    found = re.fullmatch(r"(\d{1,9}) ?([A-Za-z]+)", value) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"expected {expected}")
    return int(found[1]) * units[found[2]]


def format_value(value: int) -> str:
    """A number as TOML: durations and sizes in the largest unit that divides them, such as "90s"."""
    match value:
        case Duration():
            return _format(value, _DURATION_UNITS)
        case Size():
            return _format(value, _SIZE_UNITS)
        case _:
            return str(value)


def _format(value: int, units: Mapping[str, int]) -> str:
    unit = next(unit for unit, size in units.items() if value % size == 0 and (value or size == 1))
    return f'"{value // units[unit]}{unit}"'
