"""`/verify` and `/undo`: the pages behind links that exchange an address, with their form and the request of their script."""

from collections.abc import Awaitable, Callable
from typing import Literal

from regserver.domain.outcome import BadContentType, BadJson, BadLink, Refusal, RouteNotFound
from regserver.endpoint import Request, Response
from regserver.service.address_exchange import LinkShown
from regserver.text import CATALOGUES, AddressText
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import FORM, Unreadable, content_type, read_object
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.link_page import LinkPage, read_form

AddressPlace = Literal["verify", "undo"]
AddressState = Literal["ask", "done", "unknown"]

STATUS: dict[AddressState, int] = {"ask": 200, "done": 200, "unknown": 404}


class LinkState(JsonAnswer, frozen=True):
    """What a link would do, with the page's text."""

    state: Literal["pending", "unknown"]
    title: str
    text: str


class AddressPage:
    """place: its path, and the name of its texts. look, use: the use cases of its links; use takes the base of links, too."""

    def __init__(
        self,
        place: AddressPlace,
        look: Callable[[str], Awaitable[LinkShown | None]],
        use: Callable[[str, str], Awaitable[str | BadLink]],
        forwarded: ForwardedReader,
        brand: Brand = PLAIN,
    ) -> None:
        self._place = place
        self._look = look
        self._use = use
        self._forwarded = forwarded
        self._page = LinkPage(place, "address.html", brand)

    def routes(self) -> tuple[Route, ...]:
        """The routes below the page's path."""
        at = self._place
        return (
            Route(f"{at}.open", "GET", f"/{at}", self.open, "page", described=False),
            Route(f"{at}.use", "POST", f"/{at}", self.use, "write", described=False),
            Route(f"{at}.status", "POST", f"/{at}/standing", self.status, "read", described=False),
            Route(f"{at}.file", "GET", f"/{at}/static/{{file}}", self.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the link is used, the same for every link."""
        return self._render(request, "ask")

    async def use(self, request: Request) -> Response | BadContentType:
        """Uses the link, and answers the form with a page that says the result."""
        if content_type(request) != FORM:
            return BadContentType()
        token = read_form(request.body).get("token", "").strip()
        outcome = await self._use(token, self._forwarded.read(request).base)
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
        shown = await self._look(token)
        states = self._text(request).state
        if shown is None:
            return LinkState("unknown", states["unknown"].title, states["unknown"].text)
        text = states["pending"].text.replace("{name}", shown.username).replace("{email}", shown.email)
        return LinkState("pending", states["pending"].title, text)

    async def file(self, request: Request) -> Response | RouteNotFound:
        """A file of the page."""
        return self._page.file(request.params["file"])

    def _text(self, request: Request) -> AddressText:
        catalogue = CATALOGUES[language_of(request)]
        return catalogue.verify if self._place == "verify" else catalogue.undo

    def _render(self, request: Request, state: AddressState, email: str = "") -> Response:
        text = self._text(request)
        values = {"t": text, "state": state, "passage": text.state[state], "email": email}
        return self._page.render(request, STATUS[state], **values)
