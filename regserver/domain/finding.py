"""Findings of a check of the server or its surroundings, for the operator."""

from typing import Literal

import msgspec

Level = Literal["ok", "hint", "fail"]


class Finding(msgspec.Struct, frozen=True):
    """One line of a report. level: "fail", it does not work; "hint", it works but should be changed."""

    level: Level
    text: str
