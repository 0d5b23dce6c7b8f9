"""What commands on accounts and invitations print, and the times that they take."""

import argparse
from typing import Any

import msgspec

from regserver.cli import CommandFault
from regserver.config.unit import format_value, read_duration
from regserver.domain.instant import Duration


class Told(msgspec.Struct, frozen=True):
    """What a command prints. value: the same for --json."""

    lines: tuple[str, ...]
    value: Any


def tell(chosen: argparse.Namespace, told: Told) -> None:
    """Prints it."""
    print(msgspec.json.encode(told.value).decode() if chosen.json else "\n".join(told.lines))


def read_life(text: str, least: Duration, most: Duration, option: str = "--expires") -> Duration:
    """The value of an option that is a time. Raises CommandFault for what is no time in the range."""
    try:
        life = read_duration(text)
    except ValueError as error:
        raise CommandFault(f"{option}: {error}") from None
    if not least <= life <= most:
        low, high = (format_value(each).strip('"') for each in (least, most))
        raise CommandFault(f"{option}: from {low} to {high}")
    return life
