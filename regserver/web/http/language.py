"""The language of an answer: from the query, else from Accept-Language, else the default."""

import urllib.parse
from typing import Annotated

from msgspec import Meta
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from regserver.endpoint import Request
from regserver.text import LANGUAGES, Language
from regserver.web.http.field import described
from regserver.web.http.pipeline import Parameters

MAX_HEADER = 500
"""Characters of Accept-Language that are parsed; browsers send less than a hundred."""


class LanguageWish(Parameters, frozen=True):
    """How a client says in which language it is answered; see `language_of`."""

    lang: Annotated[Language | None, Meta(description="The language of what people read.")] = None
    accept_language: Annotated[
        str,
        described(
            "The same, where `lang` is not given (RFC 9110, 12.5.4).",
            "fr-CH, fr;q=0.9, en;q=0.8",
            extra={"header": "Accept-Language"},
        ),
    ] = ""


def language_of(request: Request) -> Language:
    """The language of the client's user; the default when the client accepts none of ours.

    `lang` in the query wins over Accept-Language (RFC 9110, 12.5.4). Tags are held against our languages by their primary
    subtag alone, the most wanted first: a reader of "fr-CH, en;q=0.9" gets fr, while the library's own best_match prefers
    the whole tag "en".
    """
    asked = match_language(urllib.parse.parse_qs(request.query).get("lang", [""])[-1])
    if asked is not None:
        return asked
    header = request.headers.get("accept-language", "")
    if len(header) > MAX_HEADER:
        header = header[:MAX_HEADER].rpartition(",")[0]  # a cut element might lack its q
    for tag, quality in parse_accept_header(header, LanguageAccept):
        found = match_language(tag)
        if found is not None and quality > 0:
            return found
    return LANGUAGES[0]


def match_language(tag: str) -> Language | None:
    """Our language of a tag such as "fr", "FR" or "fr_CH"; None when it is not supported."""
    # A # too: of a mailed link some mail programs make %23, which leaves the link's secret in the query.
    primary = tag[:3].lower().replace("_", "-").replace("#", "-").partition("-")[0]
    return next((language for language in LANGUAGES if language == primary), None)
