"""Renders the operator's pages: the navigation of a role, what was just done, and the blocks of a view."""

from functools import cache
from importlib.resources import files

from regserver.domain.operator_key import Operation
from regserver.domain.outcome import RouteNotFound
from regserver.domain.secret import TOKEN_BYTES, SecretHash
from regserver.endpoint import Request, Response
from regserver.ports.randomness import Randomness
from regserver.text import CATALOGUES, Language, OperatorText
from regserver.web.http.answer import HeaderFields
from regserver.web.http.language import language_of, match_language
from regserver.web.operator.flash import Announced, FlashSeal
from regserver.web.operator.session import FLASH, FLASH_SECONDS, EntryWay, OperatorVisit
from regserver.web.operator.view import OperatorView
from regserver.web.site.asset import FOR_GOOD, REVALIDATE, asset_response, load_assets
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.security import PAGE_FIELDS, content_security_policy
from regserver.web.site.template import Render, page_environment

LANGUAGE = "regserver-operator-language"
YEAR_SECONDS = 365 * 86_400
HTML = "text/html; charset=utf-8"
TEMPLATES = ("enter.html", "view.html")
FIELDS: HeaderFields = (
    ("content-security-policy", content_security_policy("img-src 'self'")),
    *PAGE_FIELDS,
    ("x-robots-tag", "noindex"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)
SECTIONS: dict[str, Operation] = {
    "overview": Operation.READ_SERVER,
    "users": Operation.READ_USERS,
    "waiting": Operation.READ_USERS,
    "invitations": Operation.READ_INVITATIONS,
    "rooms": Operation.READ_ROOMS,
    "mail": Operation.READ_MAIL,
    "steps": Operation.READ_STEPS,
    "webhooks": Operation.READ_WEBHOOKS,
    "limits": Operation.READ_SERVER,
    "audit": Operation.READ_AUDIT,
    "keys": Operation.READ_KEYS,
}
"""The navigation, with what a role must be allowed to see of it."""


class OperatorFrame:
    """Templates and files of the page."""

    def __init__(self, seal: FlashSeal, randomness: Randomness, brand: Brand = PLAIN) -> None:
        self._assets = load_assets("operator", brand=brand)
        self._brand = brand
        self._seal = seal
        self._randomness = randomness

    def render(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        """A page that needs no session."""
        return self._response(request, template, status, (), values)

    def show(
        self, request: Request, door: EntryWay, visit: OperatorVisit, view: OperatorView, *, status: int = 200
    ) -> Response:
        """A page for a signed-in operator, with the message of their last action."""
        told = self._seal.open(visit.who.entry, visit.flash) if visit.flash else None
        fields = (door.cookie(FLASH, "", 0),) if visit.flash else ()
        sections = [name for name, operation in SECTIONS.items() if visit.may(operation)]
        form = self._randomness.bytes(TOKEN_BYTES).hex()[:24]
        values = {"view": view, "visit": visit, "sections": sections, "told": told, "form": form}
        return self._response(request, "view.html", status, fields, values)

    def flash(self, door: EntryWay, session: SecretHash, told: Announced) -> HeaderFields:
        """The field that tells something once."""
        return (door.cookie(FLASH, self._seal.seal(session, told), FLASH_SECONDS),)

    def file(self, version: str, name: str) -> Response | RouteNotFound:
        """A file of the page."""
        found = self._assets.files.get(name)
        if found is None:
            return RouteNotFound()
        return asset_response(found, FOR_GOOD if version == self._assets.version else REVALIDATE)

    def _response(
        self,
        request: Request,
        template: str,
        status: int,
        fields: HeaderFields,
        values: dict[str, object],
    ) -> Response:
        language, root = page_language(request), root_of(request)
        html = load_operator_templates()[template](
            language=language,
            languages=[(code, catalogue.name) for code, catalogue in CATALOGUES.items()],
            static=f"{root}operator/static/{self._assets.version}",
            root=f"{root}operator/",
            brand=self._brand,
            site=CATALOGUES[language].site,
            t=CATALOGUES[language].operator,
            **values,
        )
        headers = (*FIELDS, ("content-language", language), *language_field(request), *fields)
        return Response(status=status, body=html.encode(), content_type=HTML, headers=headers)


@cache
def load_operator_templates() -> dict[str, Render]:
    """The templates of the operator's pages, by the names of their files."""
    folder = files(__package__) / "template"
    environment = page_environment(lambda name: (folder / name).read_text("utf-8"), strips=False)
    return {name: environment.get_template(name).render for name in TEMPLATES}


def page_language(request: Request) -> Language:
    """What was chosen at the page last, else what the browser asks for."""
    if "lang=" not in request.query:
        for part in request.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == LANGUAGE and (chosen := match_language(value)) is not None:
                return chosen
    return language_of(request)


def language_field(request: Request) -> HeaderFields:
    """Keeps a language that was chosen; nothing where none was."""
    if "lang=" not in request.query:
        return ()
    value = f"{LANGUAGE}={page_language(request)}; Path=/; Max-Age={YEAR_SECONDS}; SameSite=Strict"
    return (("set-cookie", value),)


def words(request: Request) -> OperatorText:
    """The texts of the page in the reader's language."""
    return CATALOGUES[page_language(request)].operator


def root_of(request: Request) -> str:
    """The way from a page to the server's own root, so that all links work below a proxy's base path."""
    return "../" * (request.path.count("/") - 1)


def redirect(request: Request, page: str, fields: HeaderFields = ()) -> Response:
    """To another page, after a form (RFC 9110, 15.4.4). page: relative to /operator/; "" for the first one."""
    place = f"{root_of(request)}operator/{page}" if page else f"{root_of(request)}operator"
    headers = (("location", place or "."), *FIELDS, *fields)
    return Response(status=303, content_type="", headers=headers)
