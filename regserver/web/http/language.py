"""The language of an answer: from the query, else from Accept-Language, else the default."""

import urllib.parse
from collections.abc import Sequence
from typing import Annotated, TypeVar

from msgspec import Meta
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from regserver.endpoint import Request
from regserver.text import LANGUAGES, Language
from regserver.web.http.pipeline import Parameters

MAX_HEADER = 500
"""Characters of Accept-Language that are parsed; browsers send less than a hundred."""

L = TypeVar("L", bound=str)


class LanguageWish(Parameters, frozen=True):
    """How a client says in which language it is answered; see `language_of`."""

    lang: Annotated[Language | None, Meta(description="The language of what people read.")] = None
    accept_language: Annotated[
        str,
        Meta(
            description="The same, where `lang` is not given (RFC 9110, 12.5.4).",
            examples=["fr-CH, fr;q=0.9, en;q=0.8"],
            extra={"header": "Accept-Language"},
        ),
    ] = ""


def choose_language(query: str, header: str, supported: Sequence[L]) -> L:
    """The language of an answer; the first of `supported` when the client accepts none of them.

    query: the raw query string, whose `lang` wins. header: Accept-Language (RFC 9110, 12.5.4). supported: primary tags
    in lower case. Tags are held against them by their primary subtag alone, the most wanted first: of en and fr, a reader
    of "fr-CH, en;q=0.9" gets fr, while the library's own best_match prefers the whole tag "en".
    """
    asked = match_language(urllib.parse.parse_qs(query).get("lang", [""])[-1], supported)
    if asked is not None:
        return asked
    if len(header) > MAX_HEADER:
        header = header[:MAX_HEADER].rpartition(",")[0]  # a cut element might lack its q
    for tag, quality in parse_accept_header(header, LanguageAccept):
        found = match_language(tag, supported)
        if found is not None and quality > 0:
            return found
    return supported[0]


def match_language(tag: str, supported: Sequence[L]) -> L | None:
    """The language of a tag such as "fr", "FR" or "fr_CH"; None when it is not supported."""
    primary = tag[:3].lower().replace("_", "-").partition("-")[0]
    return next((language for language in supported if language == primary), None)


def language_of(request: Request) -> Language:
    """The language of the client's user."""
    return choose_language(request.query, request.headers.get("accept-language", ""), LANGUAGES)
