"""A page behind a mailed link. The secret stands behind the link's #, so that no server sees it, or is typed into a field.

A button posts it: programs that look at links in mail open the page, and use nothing up.
"""

import urllib.parse

from regserver.domain.outcome import RouteNotFound
from regserver.endpoint import Request, Response
from regserver.text import CATALOGUES
from regserver.web.http.language import language_of
from regserver.web.site.asset import REVALIDATE, asset_response, load_assets, load_template
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.security import PAGE_FIELDS, content_security_policy

HTML = "text/html; charset=utf-8"
FIELDS = (
    ("content-security-policy", content_security_policy("img-src 'self'", "connect-src 'self'")),
    *PAGE_FIELDS,
    ("x-robots-tag", "noindex"),
)
MAX_FIELDS = 10


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
        page = load_template(self._template).render(language=language, **values)
        headers = (*FIELDS, ("content-language", language))
        return Response(status=status, body=page.encode(), content_type=HTML, headers=headers)

    def file(self, name: str) -> Response | RouteNotFound:
        """A file of the page."""
        found = self._assets.files.get(name)
        return RouteNotFound() if found is None else asset_response(found, REVALIDATE)


def read_form(form: bytes) -> dict[str, str]:
    """The fields of a posted form; of one that is given twice, the last."""
    try:
        text = form.decode("ascii", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:  # too many fields
        return {}
