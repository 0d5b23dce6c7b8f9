"""Who may sign up at which door."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Door = Literal["rooms", "steps", "directory", "live"]
SignUpMode = Literal["open", "invite", "approve", "closed", "off"]


class SignUpRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a mode means at a door. serves: whether the door is there. accepts: whether strangers get accounts.
    available: whether this version knows how to do it.
    """

    serves: bool = True
    accepts: bool = False
    available: bool = True


RULES: Mapping[SignUpMode, SignUpRule] = {
    "open": SignUpRule(accepts=True),
    "invite": SignUpRule(available=False),
    "approve": SignUpRule(available=False),
    "closed": SignUpRule(),
    "off": SignUpRule(serves=False),
}


class SignUpPolicy(msgspec.Struct, frozen=True):
    """The mode of each door."""

    modes: Mapping[Door, SignUpMode]

    def accepts(self, door: Door) -> bool:
        """Whether the door makes new accounts."""
        return RULES[self.modes[door]].accepts

    def serves(self, door: Door) -> bool:
        """Whether the door is there at all."""
        return RULES[self.modes[door]].serves
