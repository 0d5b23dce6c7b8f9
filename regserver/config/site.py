"""The settings of what people see of the operator: on the pages and in mails."""

import re
from collections.abc import Iterator

from regserver.config.section import Fault, Section
from regserver.domain.colour import BLACK, LEAST_CONTRAST, contrast, read_colour, readable, tint_of

_LINK = re.compile(r"(?:https?://|mailto:)[^\s\"'<>]+")
MOST_NAME = 60
"""Characters; longer ones do not fit beside the rest of the page's head."""
LOGO_KINDS = (".svg", ".png", ".webp")


class SiteSection(Section, frozen=True):
    """The brand. name: of the service; "": "regserver", and the host in mails. logo: a file. color: of buttons and links.

    imprint, privacy: addresses at the foot of each page. "" for none of them.
    """

    name: str = ""
    logo: str = ""
    color: str = ""
    imprint: str = ""
    privacy: str = ""


def site_faults(site: SiteSection) -> Iterator[Fault]:
    """What cannot be shown, or not be read."""
    if len(site.name) > MOST_NAME or not site.name.isprintable():
        yield ("site", "name"), f"at most {MOST_NAME} characters on one line"
    if site.logo and not site.logo.lower().endswith(LOGO_KINDS):
        yield ("site", "logo"), f"a file of {', '.join(LOGO_KINDS)}"
    if site.color:
        yield from _colour_faults(site.color)
    for key in ("imprint", "privacy"):
        if (link := getattr(site, key)) and not _LINK.fullmatch(link):
            yield ("site", key), f'an address such as "https://example.org/{key}"'


def _colour_faults(text: str) -> Iterator[Fault]:
    colour = read_colour(text)
    if colour is None:
        yield ("site", "color"), 'a colour such as "#0f6b66"'
        return
    found = contrast(colour, tint_of(colour))
    if found < LEAST_CONTRAST:
        near = colour
        while contrast(near, tint_of(near)) < LEAST_CONTRAST:  # darker, the ground becomes darker, too
            near = readable(near, tint_of(near), BLACK)
        yield (
            ("site", "color"),
            f"one that can be read on a light page: {text} has a contrast of {found:.1f}, text needs {LEAST_CONTRAST};"
            f" the nearest is {near}",
        )
