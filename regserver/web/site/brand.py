"""What pages show of the operator: a name, a sign, a colour, and links at the foot.

The sign and the colour are files of ours like the others, so the policy of the pages stays as strict as it is.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from typing import Final

import msgspec

from regserver.domain.colour import Colour, Palette, dark_palette, light_palette

NAME: Final = "regserver"


class Brand(msgspec.Struct, frozen=True, dict=True):
    """name: of the service. colour: of buttons and links; None for ours. imprint, privacy: addresses; "" for none.

    logo: the ending of its file's name and its bytes; None for our sign.
    """

    name: str = NAME
    colour: Colour | None = None
    imprint: str = ""
    privacy: str = ""
    logo: tuple[str, bytes] | None = None

    @property
    def icon(self) -> str:
        """The name of the sign's file."""
        if self.logo is None:
            return "icon.svg"
        ending, data = self.logo
        # Another sign has another name, since browsers keep icons for long.
        return f"logo-{hashlib.sha256(data).hexdigest()[:8]}{ending}"

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """name → bytes: the colours of all pages with those of the brand, and the sign."""
        sign = _shared("icon.svg") if self.logo is None else self.logo[1]
        return {"theme.css": _shared("theme.css") + self._colours(), self.icon: sign}

    def _colours(self) -> bytes:
        if self.colour is None:
            return b""
        light, dark = _declared(light_palette(self.colour)), _declared(dark_palette(self.colour))
        dark_rule = f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
        return f":root {{ {light} }}\n{dark_rule}\n".encode()


PLAIN: Final = Brand()
"""Where the operator has said nothing."""


def _shared(name: str) -> bytes:
    return (files(__package__) / "static" / "shared" / name).read_bytes()


def _declared(palette: Palette) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette.items())
