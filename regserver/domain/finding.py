"""What a look at the server or at its surroundings found, for its operator."""

from typing import Literal

import msgspec

Level = Literal["ok", "hint", "fail"]


class Finding(msgspec.Struct, frozen=True):
    """One line of a report. fail: it does not work; hint: it works, but should not stay so."""

    level: Level
    text: str
