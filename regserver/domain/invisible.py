"""Characters that nobody sees, in names as people type, paste and dictate them.

Keyboards add a blank after a completed word, and copied names come with byte order and direction marks around them.
Inside a name such a character makes another name that looks the same; some sources ignore it and would accept it.
"""

import re

# Default_Ignorable_Code_Point (Unicode 15.1, DerivedCoreProperties), and the blank of Braille, which has no dots.
_RANGES = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
_INVISIBLE = "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in _RANGES)
_INSIDE = re.compile(f"[{_INVISIBLE}\u2028\u2029]")
_AROUND = re.compile(rf"\A[\s{_INVISIBLE}]+|[\s{_INVISIBLE}]+\Z")


def trim_name(typed: str) -> str:
    """A name without white space and invisible characters at its ends."""
    return _AROUND.sub("", typed)


def has_invisible(text: str) -> bool:
    """Whether a character of the text is not seen at all, or breaks its line. Spaces are seen."""
    return _INSIDE.search(text) is not None
