"""`/confirm`: the page, its form, and the request of its script."""

import urllib.parse
from typing import Literal

from regserver.domain.directory import AlreadyConfirmed, DirectoryRefusal, InvalidData
from regserver.domain.outcome import BadContentType, BadJson, Refusal, RouteNotFound
from regserver.endpoint import Request, Response
from regserver.service.directory_service import Allotted, DirectoryService
from regserver.text import CATALOGUES
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import FORM, Unreadable, content_type, read_object
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.asset import REVALIDATE, asset_response, load_assets, load_template
from regserver.web.site.security import PAGE_FIELDS, content_security_policy

ConfirmState = Literal["ask", "done", "confirmed", "unknown", "name", "email"]

STATUS: dict[ConfirmState, int] = {
    "ask": 200,
    "done": 200,
    "confirmed": 400,
    "unknown": 404,
    "name": 400,
    "email": 400,
}
HTML = "text/html; charset=utf-8"
FIELDS = (
    ("content-security-policy", content_security_policy("connect-src 'self'")),
    *PAGE_FIELDS,
    ("x-robots-tag", "noindex"),
)


class ChallengeState(JsonAnswer, frozen=True, rename="camel"):
    """The state of a challenge, with the page's text."""

    state: str
    user_name: str | None
    title: str
    text: str


class ConfirmApi:
    """A client of the directory's use cases. A challenge is never part of an address here, since addresses end up in logs."""

    def __init__(self, directory: DirectoryService) -> None:
        self._directory = directory
        self._template = load_template("confirm.html")
        self._assets = load_assets("confirm")

    def routes(self) -> tuple[Route, ...]:
        """The routes below /confirm."""
        return (
            Route("confirm.open", "GET", "/confirm", self.open, "page", described=False),
            Route("confirm.confirm", "POST", "/confirm", self.confirm, "write", described=False),
            Route("confirm.status", "POST", "/confirm/standing", self.status, "read", described=False),
            Route("confirm.file", "GET", "/confirm/static/{file}", self.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the confirmation, the same for every link."""
        return self._page(request, "ask")

    async def confirm(self, request: Request) -> Response | BadContentType:
        """Confirms, and answers the form with a page that says the result."""
        if content_type(request) != FORM:
            return BadContentType()
        outcome = await self._directory.confirm(_challenge(request.body))
        match outcome:
            case Allotted(server=server):
                return self._page(request, "done", server)
            case AlreadyConfirmed(server=server):
                return self._page(request, "confirmed", server)
            case InvalidData(faults=faults):
                return self._page(request, "email" if "taken_email" in faults else "name")
            case DirectoryRefusal():
                return self._page(request, "unknown")

    async def status(self, request: Request) -> ChallengeState | Unreadable:
        """The state of the challenge in the body, with the page's text; changes nothing."""
        body = read_object(request)
        if isinstance(body, Refusal):
            return body
        challenge = body.get("challenge")
        if not isinstance(challenge, str):
            return BadJson()
        status = await self._directory.challenge_status(challenge)
        passage = CATALOGUES[language_of(request)].confirm.state[status.state]
        text = passage.text.replace("{name}", status.username or "")
        return ChallengeState(status.state, status.username, passage.title, text)

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        found = self._assets.files.get(request.params["file"])
        return RouteNotFound() if found is None else asset_response(found, REVALIDATE)

    def _page(self, request: Request, state: ConfirmState, server: str | None = None) -> Response:
        language = language_of(request)
        text = CATALOGUES[language].confirm
        page = self._template.render(
            language=language, t=text, state=state, passage=text.state[state], server=server
        )
        headers = (*FIELDS, ("content-language", language))
        return Response(status=STATUS[state], body=page.encode(), content_type=HTML, headers=headers)


def _challenge(form: bytes) -> str:
    """The form's one field, without white space, which a person may have copied with it."""
    try:
        fields = urllib.parse.parse_qs(form.decode("ascii", "replace"), max_num_fields=10)
    except ValueError:  # too many fields
        return ""
    return fields.get("challenge", [""])[-1].strip()
