"""How a screen is looked at: axe-core in some looks, and that nothing sticks out wide and on a phone.

Words and widths go together, since it is long words that stick out: each language is measured in both. Colours and words do not, so axe-core
looks at each language once, and at all four pairs of scheme and width over the three.
"""

from playwright.sync_api import ViewportSize

from tests.browser.axe import violations
from tests.browser.visitor import Visitor

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 320, "height": 640}
LOOKS: dict[str, tuple[tuple[str, ViewportSize], ...]] = {
    "en": (("light", WIDE),),
    "fr": (("dark", PHONE),),
    "ru": (("light", PHONE), ("dark", WIDE)),
}
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def assert_fine(visitor: Visitor, language: str, screen: str) -> None:
    """Looks at what is shown now in the looks of this language; the last one stays."""
    for size in (WIDE, PHONE):
        visitor.page.set_viewport_size(size)
        assert visitor.page.evaluate(OVERFLOW) <= 0, f"{screen}, {size}"
    for scheme, size in LOOKS[language]:
        visitor.page.set_viewport_size(size)
        visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert violations(visitor.page) == [], f"{screen}, {scheme}, {size}"
