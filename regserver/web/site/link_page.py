"""A page behind a mailed link. The secret stands behind the link's #, so that no server sees it, or is typed into a field.

A button posts it: programs that look at links in mail open the page, and use nothing up.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Literal

from regserver.domain.outcome import Refusal, RouteNotFound
from regserver.endpoint import Request, Response
from regserver.text import CATALOGUES, Passage
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_text
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.asset import REVALIDATE, asset_response, load_assets
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.security import PAGE_FIELDS, content_security_policy
from regserver.web.site.template import load_template, loaded_before

HTML = "text/html; charset=utf-8"
FIELDS = (
    ("content-security-policy", content_security_policy("img-src 'self'", "connect-src 'self'")),
    *PAGE_FIELDS,
    ("x-robots-tag", "noindex"),
)


class LinkState(JsonAnswer, frozen=True):
    """What a link would do, with the page's text."""

    state: Literal["pending", "unknown"]
    title: str
    text: str


class LinkPage:
    """place: its path, below which its files are. template: the name of its file."""

    def __init__(self, place: str, template: str, brand: Brand = PLAIN) -> None:
        self._template = template
        self._assets = load_assets("link", brand=brand)
        self._frame = {"place": place, "static": f"{place}/static", "brand": brand}

    def render(self, request: Request, status: int, **values: object) -> Response:
        """The page in the reader's language. values: of the template."""
        language = language_of(request)
        values = {"site": CATALOGUES[language].site, **self._frame, **values}
        page = load_template(self._template)(language=language, **values)
        headers = (*FIELDS, ("content-language", language))
        return Response(status=status, body=page.encode(), content_type=HTML, headers=headers)

    def with_template(self, *routes: Route) -> tuple[Route, ...]:
        """The routes of the page, which wait for its template."""
        return loaded_before(partial(load_template, self._template), routes)

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        found = self._assets.files.get(request.params["file"])
        return RouteNotFound() if found is None else asset_response(found, REVALIDATE)


async def link_state(
    request: Request,
    passages: Mapping[str, Passage],
    look: Callable[[str], Awaitable[Mapping[str, str] | None]],
) -> LinkState | Unreadable:
    """What the link in the body would do; changes nothing.

    passages: the page's, of which "pending" and "unknown" are shown. look: takes the link's secret; what stands for the names in
    braces, None for a link that does nothing.
    """
    token = read_text(request, "token")
    if isinstance(token, Refusal):
        return token
    values = await look(token)
    if values is None:
        return LinkState("unknown", passages["unknown"].title, passages["unknown"].text)
    return LinkState("pending", passages["pending"].title, fill(passages["pending"].text, values))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Puts the values in place of their names in braces, once: a person's name may look like one of them."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)
