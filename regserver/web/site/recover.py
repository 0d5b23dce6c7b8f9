"""`/recover`: the page behind the link that sets a new password, its form, and the request of its script."""

from typing import Literal

from regserver.domain.outcome import BadContentType, BadPassword, BadRecovery, Refusal
from regserver.endpoint import Request, Response
from regserver.service.account_recovery import AccountRecovery
from regserver.text import CATALOGUES
from regserver.web.http.body import Unreadable, read_form
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.link_page import LinkPage, LinkState, link_state

RecoverState = Literal["ask", "weak", "done", "unknown"]

STATUS: dict[RecoverState, int] = {"ask": 200, "weak": 400, "done": 200, "unknown": 404}


class RecoverPage:
    """A client of the use cases of a forgotten password."""

    def __init__(self, recovery: AccountRecovery, brand: Brand = PLAIN) -> None:
        self._recovery = recovery
        self._page = LinkPage("recover", "recover.html", brand)

    def routes(self) -> tuple[Route, ...]:
        """The routes below /recover."""
        return self._page.with_template(
            Route("recover.open", "GET", "/recover", self.open, "page", described=False),
            Route("recover.reset", "POST", "/recover", self.reset, "sign_in", hashes=True, described=False),
            Route("recover.status", "POST", "/recover/standing", self.status, "read", described=False),
            Route("recover.file", "GET", "/recover/static/{file}", self._page.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the password is set, the same for every link."""
        return self._render(request, "ask")

    async def reset(self, request: Request) -> Response | BadContentType:
        """Sets the password, and answers the form with a page that says the result."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        token = form.get("token", "").strip()
        match await self._recovery.reset(token, form.get("password", "")):
            case BadRecovery():
                return self._render(request, "unknown")
            case BadPassword():
                return self._render(request, "weak", token)
            case None:
                return self._render(request, "done")

    async def status(self, request: Request) -> LinkState | Unreadable:
        """What the link in the body would do, with the page's text; changes nothing."""
        return await link_state(request, CATALOGUES[language_of(request)].recover.state, self._look)

    async def _look(self, token: str) -> dict[str, str] | None:
        name = await self._recovery.look(token)
        return None if name is None else {"name": name}

    def _render(self, request: Request, state: RecoverState, token: str = "") -> Response:
        text = CATALOGUES[language_of(request)].recover
        passage = text.state[state]
        return self._page.render(request, STATUS[state], t=text, state=state, passage=passage, token=token)
