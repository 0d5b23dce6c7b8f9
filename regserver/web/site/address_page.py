"""`/verify` and `/undo`: the pages behind links that exchange an address, with their form and the request of their script."""

from collections.abc import Awaitable, Callable
from typing import Literal

from regserver.domain.outcome import BadContentType, BadLink, Refusal
from regserver.endpoint import Request, Response
from regserver.service.address_exchange import LinkShown
from regserver.text import CATALOGUES, AddressText
from regserver.web.http.body import Unreadable, read_form
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.link_page import LinkPage, LinkState, link_state

AddressPlace = Literal["verify", "undo"]
AddressState = Literal["ask", "done", "unknown"]

STATUS: dict[AddressState, int] = {"ask": 200, "done": 200, "unknown": 404}


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
        return self._page.with_template(
            Route(f"{at}.open", "GET", f"/{at}", self.open, "page", described=False),
            Route(f"{at}.use", "POST", f"/{at}", self.use, "write", described=False),
            Route(f"{at}.status", "POST", f"/{at}/standing", self.status, "read", described=False),
            Route(f"{at}.file", "GET", f"/{at}/static/{{file}}", self._page.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the link is used, the same for every link."""
        return self._render(request, "ask")

    async def use(self, request: Request) -> Response | BadContentType:
        """Uses the link, and answers the form with a page that says the result."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        outcome = await self._use(form.get("token", "").strip(), self._forwarded.read(request).base)
        if isinstance(outcome, BadLink):
            return self._render(request, "unknown")
        return self._render(request, "done", outcome)

    async def status(self, request: Request) -> LinkState | Unreadable:
        """What the link in the body would do, with the page's text; changes nothing."""
        return await link_state(request, self._text(request).state, self._shown)

    async def _shown(self, token: str) -> dict[str, str] | None:
        shown = await self._look(token)
        return None if shown is None else {"name": shown.username, "email": shown.email}

    def _text(self, request: Request) -> AddressText:
        catalogue = CATALOGUES[language_of(request)]
        return catalogue.verify if self._place == "verify" else catalogue.undo

    def _render(self, request: Request, state: AddressState, email: str = "") -> Response:
        text = self._text(request)
        values = {"t": text, "state": state, "passage": text.state[state], "email": email}
        return self._page.render(request, STATUS[state], **values)
