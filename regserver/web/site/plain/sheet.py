"""Renders the pages without scripts."""

from collections.abc import Collection
from typing import Any

from regserver.domain.outcome import RouteNotFound
from regserver.endpoint import Request, Response
from regserver.text import CATALOGUES, Language
from regserver.web.http.answer import HeaderFields
from regserver.web.http.language import language_of
from regserver.web.site.asset import REVALIDATE, asset_response, load_assets
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.plain.client import DoorAnswer
from regserver.web.site.security import PAGE_FIELDS, content_security_policy
from regserver.web.site.template import load_template

FIELDS: HeaderFields = (
    ("content-security-policy", content_security_policy("img-src 'self'")),
    *PAGE_FIELDS,
    ("cache-control", "no-store"),
    ("x-robots-tag", "noindex"),
)

TEMPLATE = "plain.html"
BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


class PlainSheet:
    """proves: the doors that demand a proof of work, which needs scripts. elsewhere: see RobotChecks. The forms of both are left out."""

    def __init__(
        self, brand: Brand = PLAIN, proves: Collection[str] = (), elsewhere: Collection[str] = ()
    ) -> None:
        self._assets = load_assets(brand=brand)
        self._brand = brand
        self._proves = proves
        self._elsewhere = elsewhere

    def render(
        self,
        request: Request,
        view: str,
        answer: DoorAnswer | None,
        head: tuple[HeaderFields, int | None],
        **values: Any,
    ) -> Response:
        """A page. answer: the refusal of a door that is told on it. head: further fields, and the status where the answer has none."""
        language, root = language_of(request), root_of(request)
        text, (fields, status) = CATALOGUES[language], head
        page = load_template(TEMPLATE)(
            language=language,
            languages=[(code, catalogue.name) for code, catalogue in CATALOGUES.items()],
            root=root,
            here=request.path.strip("/").rpartition("/")[2],
            static=f"{root}plain/static",
            brand=self._brand,
            site=text.site,
            t=text.page,
            p=text.plain,
            restore=text.script["restore"],
            view=view,
            device_of=device_of,
            title=text.plain[f"title-{view}"],
            proves=self._proves,
            elsewhere=self._elsewhere,
            error="" if answer is None or not answer.code else words_of(answer, language),
            **{"ticket": "", "stays": False, "events": (), "user": {}, "sessions": (), **values},
        )
        code = status or (answer.status if answer is not None and answer.code else 200)
        headers = (*FIELDS, ("content-language", language), *fields)
        return Response(
            status=code, body=page.encode(), content_type="text/html; charset=utf-8", headers=headers
        )

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the pages."""
        found = self._assets.files.get(request.params["file"])
        return RouteNotFound() if found is None else asset_response(found, REVALIDATE)


def device_of(agent: str) -> str:
    """Browser and system of a User-Agent, such as "Firefox · Windows"; the whole of one that nothing is known of. See settings.js."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} · {system}" if browser and system else agent


def words_of(answer: DoorAnswer, language: Language) -> str:
    """What a refusal means, as the page with scripts says it."""
    text = CATALOGUES[language]
    errors, code = text.script["error"], answer.code
    if code == "NotApproved" and answer.body.get("waitsFor") == "verification":
        code = "NotVerified"
    found = errors.get(code) or errors["InternalError" if answer.status >= 500 else "Unexpected"]
    when = text.plain["wait"].replace("{seconds}", str(answer.retry_after or 5))
    return found.replace("{when}", when).replace("{code}", code)


def root_of(request: Request) -> str:
    """The way from a page to the server's own root, so that links work below a proxy's base path."""
    return "../" * (request.path.count("/") - 1)


def redirect(request: Request, page: str, fields: HeaderFields = ()) -> Response:
    """To another page, after a form (RFC 9110, 15.4.4). page: relative to the root."""
    language = f"?lang={language_of(request)}"
    headers = (("location", f"{root_of(request) or './'}{page}{language}"), *FIELDS, *fields)
    return Response(status=303, content_type="", headers=headers)
