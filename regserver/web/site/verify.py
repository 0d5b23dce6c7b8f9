"""`/verify`: the page behind the link that verifies an address, its form, and the request of its script."""

from typing import Literal

from regserver.domain.outcome import BadContentType, BadJson, BadLink, Refusal, RouteNotFound
from regserver.endpoint import Request, Response
from regserver.service.address_service import AddressService
from regserver.text import CATALOGUES
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import FORM, Unreadable, content_type, read_object
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.link_page import LinkPage, read_form

VerifyState = Literal["ask", "done", "unknown"]

STATUS: dict[VerifyState, int] = {"ask": 200, "done": 200, "unknown": 404}


class LinkState(JsonAnswer, frozen=True):
    """What a link would do, with the page's text."""

    state: Literal["pending", "unknown"]
    title: str
    text: str


class VerifyApi:
    """A client of the use cases of addresses."""

    def __init__(self, addresses: AddressService) -> None:
        self._addresses = addresses
        self._page = LinkPage("verify.html")

    def routes(self) -> tuple[Route, ...]:
        """The routes below /verify."""
        return (
            Route("verify.open", "GET", "/verify", self.open, "page", described=False),
            Route("verify.verify", "POST", "/verify", self.verify, "write", described=False),
            Route("verify.status", "POST", "/verify/standing", self.status, "read", described=False),
            Route("verify.file", "GET", "/verify/static/{file}", self.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the address is verified, the same for every link."""
        return self._render(request, "ask")

    async def verify(self, request: Request) -> Response | BadContentType:
        """Verifies, and answers the form with a page that says the result."""
        if content_type(request) != FORM:
            return BadContentType()
        outcome = await self._addresses.verify(read_form(request.body).get("token", "").strip())
        if isinstance(outcome, BadLink):
            return self._render(request, "unknown")
        return self._render(request, "done", outcome)

    async def status(self, request: Request) -> LinkState | Unreadable:
        """What the link in the body would do, with the page's text; changes nothing."""
        body = read_object(request)
        if isinstance(body, Refusal):
            return body
        token = body.get("token")
        if not isinstance(token, str):
            return BadJson()
        shown = await self._addresses.look(token)
        states = CATALOGUES[language_of(request)].verify.state
        if shown is None:
            return LinkState("unknown", states["unknown"].title, states["unknown"].text)
        text = states["pending"].text.replace("{name}", shown.username).replace("{email}", shown.email)
        return LinkState("pending", states["pending"].title, text)

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        return self._page.file(request.params["file"])

    def _render(self, request: Request, state: VerifyState, email: str = "") -> Response:
        text = CATALOGUES[language_of(request)].verify
        passage = text.state[state]
        return self._page.render(request, STATUS[state], t=text, state=state, passage=passage, email=email)
