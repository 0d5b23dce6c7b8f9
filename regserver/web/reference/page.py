"""`GET /docs` and `GET /llms.txt`, rendered once, in a thread, when they are first asked for; then only the address is put in.

The filled-in pages are kept compressed for a few addresses of the server. Under further ones, which only a program makes up, the
page is sent uncompressed.
"""

import html
from collections.abc import Awaitable, Callable
from importlib.resources import files

import msgspec
import trio
from markupsafe import Markup

from regserver.domain.outcome import RouteNotFound
from regserver.endpoint import Request, Response
from regserver.text import CATALOGUES
from regserver.web.http.answer import HeaderFields
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.made_once import DocumentMadeOnce
from regserver.web.http.route import Route
from regserver.web.reference.build import build_reference
from regserver.web.reference.example import BASE, SOCKET_BASE, Sample
from regserver.web.site.asset import FOR_GOOD, REVALIDATE, Assets, asset_response
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.security import PAGE_FIELDS, content_security_policy
from regserver.web.site.template import Render, page_environment

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
MOST_ADDRESSES = 8
"""For which the pages are kept."""

FIELDS: HeaderFields = (
    ("content-security-policy", content_security_policy("img-src 'self'")),
    *(field for field in PAGE_FIELDS if field[0] != "vary"),  # it has one language
    ("cross-origin-resource-policy", "same-origin"),
)

SIGN_UP = Sample(
    "POST",
    "/login/register",
    body={"username": "ann", "email": "ann@example.org", "password": "a long password"},
)


class Start(msgspec.Struct, frozen=True):
    """How a token is got."""

    curl: str
    script: str


class Documents(msgspec.Struct, frozen=True):
    """What the reference is made of, as JSON."""

    openapi: bytes
    asyncapi: bytes
    openrpc: bytes


class ReferenceApi:
    """documents: makes them, when they are needed; others after a reload that has changed what stands in them."""

    def __init__(
        self,
        forwarded: ForwardedReader,
        documents: Callable[[], Awaitable[Documents]],
        brand: Brand = PLAIN,
    ) -> None:
        self._forwarded = forwarded
        self._documents = documents
        self._brand = brand
        own = {entry.name: entry.read_bytes() for entry in (files(__package__) / "static").iterdir()}
        self._assets = Assets({**own, **brand.files})
        self._made_from: Documents | None = None
        self._texts: dict[str, str] = {}
        self._kept: dict[tuple[str, str], DocumentMadeOnce] = {}

    def routes(self) -> tuple[Route, ...]:
        """The pages, and the files of the one for people."""
        return (
            Route("reference.page", "GET", "/docs", self.page, "page", described=False),
            Route("reference.brief", "GET", "/llms.txt", self.brief, "page", described=False),
            Route(
                "reference.file", "GET", "/docs/static/{version}/{file}", self.file, "page", described=False
            ),
        )

    async def page(self, request: Request) -> Response:
        """The reference."""
        if request.path.endswith("/"):  # its links are relative
            return Response(status=308, content_type="text/plain", headers=(("location", "../docs"),))
        return await self._answer(request, "docs.html", HTML, FIELDS)

    async def brief(self, request: Request) -> Response:
        """The contents of the reference, for programs that read (llmstxt.org)."""
        return await self._answer(request, "llms.txt", TEXT, ())

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        found = self._assets.files.get(request.params["file"])
        if found is None:
            return RouteNotFound()
        return asset_response(
            found, FOR_GOOD if request.params["version"] == self._assets.version else REVALIDATE, request
        )

    async def _answer(self, request: Request, name: str, kind: str, headers: HeaderFields) -> Response:
        documents = await self._documents()
        if documents is not self._made_from:
            self._texts = await trio.to_thread.run_sync(self._render, documents)
            self._made_from = documents
            self._kept.clear()
        base = self._forwarded.read(request).base
        kept = self._kept.get((name, base))
        if kept is not None:
            return kept.answer(request)
        body = _addressed(self._texts[name], base)
        if len(self._kept) >= 2 * MOST_ADDRESSES:
            return Response(body=body, content_type=kind, headers=(("cache-control", "no-store"), *headers))
        made = await trio.to_thread.run_sync(DocumentMadeOnce, body, kind, headers)
        self._kept[name, base] = made
        return made.answer(request)

    def _render(self, documents: Documents) -> dict[str, str]:
        """Name of the template → the page with BASE for the address."""
        reference = build_reference(*map(msgspec.json.decode, msgspec.structs.astuple(documents)))
        static = f"docs/static/{self._assets.version}"
        return {
            name: _template(name)(
                reference=reference,
                static=static,
                start=_start(),
                brand=self._brand,
                site=CATALOGUES["en"].site,
            )
            for name in ("docs.html", "llms.txt")
        }


def _template(name: str) -> Render:
    environment = page_environment(lambda name: (files(__package__) / name).read_text("utf-8"))
    environment.filters["words"] = _words
    return environment.get_template(name).render


def _words(text: str) -> Markup:
    """A text of the documents, where what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)
    )


def _addressed(text: str, base: str) -> bytes:
    """The text with this address of the server, whatever a client has made of it."""
    safe = html.escape(base)
    return text.lstrip().replace(BASE, safe).replace(SOCKET_BASE, "ws" + safe.removeprefix("http")).encode()


def _start() -> Start:
    curl = SIGN_UP.curl.replace("curl -si", "TOKEN=$(curl -s") + " | cut -d'\"' -f6)"
    script = SIGN_UP.script.partition("\nconsole")[0] + "\nconst { token } = await response.json();"
    return Start(curl, script)
