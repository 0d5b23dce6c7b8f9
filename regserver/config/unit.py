"""Spans and sizes as people write them: "45s", "256KiB"."""

import re
from collections.abc import Mapping

from regserver.config.setting import Size
from regserver.domain.instant import Duration

_DURATION_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_SIZE_UNITS = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024, "B": 1}


def read_duration(value: object) -> Duration:
    """A bare number is in seconds. Raises ValueError."""
    return Duration(_read(value, _DURATION_UNITS, 'a duration such as "45s", "10m" or "7d"', 1000))


def read_size(value: object) -> Size:
    """A bare number is in bytes. Raises ValueError."""
    return Size(_read(value, _SIZE_UNITS, 'a size such as "256KiB"', 1))


def _read(value: object, units: Mapping[str, int], expected: str, bare: int) -> int:
    if type(value) is int and value >= 0:
        return value * bare
    found = re.fullmatch(r"(\d{1,9}) ?([A-Za-z]+)", value) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"expected {expected}")
    return int(found[1]) * units[found[2]]


def format_value(value: int) -> str:
    """A number as it stands in a file, in the largest unit that fits it whole."""
    match value:
        case Duration():
            return _written(value, _DURATION_UNITS)
        case Size():
            return _written(value, _SIZE_UNITS)
        case _:
            return str(value)


def _written(value: int, units: Mapping[str, int]) -> str:
    unit = next(unit for unit, size in units.items() if value % size == 0 and (value or size == 1))
    return f'"{value // units[unit]}{unit}"'
