"""`GET /` and the files under `/static/`, with the fields that keep the page to itself.

The page is the same for everybody in one language, so it is rendered at the start; what differs per request is only
the address that its script may open sockets to.
"""

from importlib.resources import files

import jinja2
import msgspec

from regserver.domain.outcome import RouteNotFound
from regserver.endpoint import Request, Response
from regserver.text import CATALOGUES, Language
from regserver.web.http.error_style import NAMED
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.asset import Assets, load_assets

FOR_GOOD = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

PAGE_FIELDS = (
    ("cache-control", REVALIDATE),
    ("vary", "Accept-Language"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class PageApi:
    """forwarded: under which address the visitor knows us."""

    def __init__(self, forwarded: ForwardedReader) -> None:
        self._forwarded = forwarded
        self._assets = load_assets()
        self._pages = render_pages(self._assets)

    def routes(self) -> tuple[Route, ...]:
        # Three segments, because two would take words such as /static/check away from the directory.
        return (
            Route("site.page", "GET", "/", self.page, "page", NAMED, described=False),
            Route(
                "site.asset", "GET", "/static/{version}/{file}", self.asset, "page", NAMED, described=False
            ),
        )

    async def page(self, request: Request) -> Response:
        language = language_of(request)
        policy = content_security_policy(self._forwarded.read(request).socket_base)
        fields = (("content-security-policy", policy), ("content-language", language), *PAGE_FIELDS)
        return Response(body=self._pages[language], content_type="text/html; charset=utf-8", headers=fields)

    async def asset(self, request: Request) -> Response | RouteNotFound:
        found = self._assets.files.get(request.params["file"])
        if found is None:
            return RouteNotFound()
        content_type, body = found
        # While nodes are being updated, a page of one version may ask a node of another: served, but not kept.
        current = request.params["version"] == self._assets.version
        fields = (
            ("cache-control", FOR_GOOD if current else REVALIDATE),
            ("cross-origin-resource-policy", "same-origin"),
        )
        return Response(body=body, content_type=content_type, headers=fields)


def content_security_policy(socket_base: str) -> str:
    """socket_base: ws or wss, host and perhaps a path; not every browser counts sockets to ourselves as 'self'."""
    scheme, _, rest = socket_base.partition("://")
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self' {scheme}://{rest.partition('/')[0]}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def render_pages(assets: Assets) -> dict[Language, bytes]:
    """language → HTML. Addresses in it are relative, so that it also works below a proxy's base path."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((files(__package__) / "page.html").read_text(encoding="utf-8"))
    return {language: _render(template, assets, language) for language in CATALOGUES}


def _render(template: jinja2.Template, assets: Assets, language: Language) -> bytes:
    text = CATALOGUES[language]
    script = {f"{group}.{key}": word for group, words in text.script.items() for key, word in words.items()}
    html = template.render(
        language=language,
        languages=[(code, catalogue.name) for code, catalogue in CATALOGUES.items()],
        static=f"static/{assets.version}",
        modules=assets.modules,
        t=text.page,
        script_text=msgspec.json.encode(script).decode(),
    )
    return html.lstrip().encode()
