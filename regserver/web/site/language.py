"""Which language the page speaks: what the visitor chose, else what the browser prefers, else English."""

import re
import urllib.parse
from importlib.resources import files

import msgspec

LANGUAGES = {"en": "English", "fr": "Français", "ru": "Русский"}
"""Every language of the text table, by its own name; the first is the fallback."""
FALLBACK = next(iter(LANGUAGES))
PAGE_PREFIX = "page."
"""Texts of the template start with it; the others are the script's."""

_RANGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,40})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
_LONGEST_HEADER = 500


def load_texts() -> dict[str, dict[str, str]]:
    """The text table: key → language → words."""
    data = (files(__package__) / "page.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, dict[str, str]])


def choose_language(query: str, accept_language: str) -> str:
    """query: the raw query string; its `lang` wins. accept_language: the header (RFC 9110, section 12.5.4)."""
    chosen = urllib.parse.parse_qs(query).get("lang", [""])[-1].lower()
    return chosen if chosen in LANGUAGES else _preferred(accept_language[:_LONGEST_HEADER])


def _preferred(accept_language: str) -> str:
    best, best_quality = FALLBACK, 0.0
    for element in accept_language.split(","):
        found = _RANGE.fullmatch(element)
        if found is None:
            continue
        language, quality = found[1].lower(), float(found[2] or 1)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best
