"""`/confirm`: the page, its form, and the request of its script."""

from typing import Literal

from regserver.domain.directory import (
    AlreadyConfirmed,
    DirectoryRefusal,
    InvalidData,
    SignUpClosed,
    SignUpNotInvited,
)
from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import BadContentType, Refusal, TooManyRequests
from regserver.endpoint import Request, Response
from regserver.service.directory_account import Allotted
from regserver.service.directory_service import DirectoryService, WrongPassword
from regserver.text import CATALOGUES
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.body import Unreadable, read_form, read_text
from regserver.web.http.language import language_of
from regserver.web.http.route import Route
from regserver.web.site.brand import PLAIN, Brand
from regserver.web.site.link_page import LinkPage, fill

ConfirmState = Literal[
    "ask", "wrong", "weak", "done", "waits", "refused", "confirmed", "unknown", "name", "email"
]

STATUS: dict[ConfirmState, int] = {
    "ask": 200,
    "wrong": 400,
    "weak": 400,
    "done": 200,
    "waits": 200,
    "refused": 403,
    "confirmed": 400,
    "unknown": 404,
    "name": 400,
    "email": 400,
}


class ChallengeState(JsonAnswer, frozen=True, rename="camel"):
    """The state of a challenge, with the page's text."""

    state: str
    user_name: str | None
    title: str
    text: str


class ConfirmApi:
    """A client of the directory's use cases. A challenge is never part of an address here, since addresses end up in logs."""

    def __init__(self, directory: DirectoryService, brand: Brand = PLAIN) -> None:
        self._directory = directory
        self._page = LinkPage("confirm", "confirm.html", brand)

    def routes(self) -> tuple[Route, ...]:
        """The routes below /confirm."""
        return self._page.with_template(
            Route("confirm.open", "GET", "/confirm", self.open, "page", described=False),
            Route(
                "confirm.confirm", "POST", "/confirm", self.confirm, "sign_up", hashes=True, described=False
            ),
            Route("confirm.status", "POST", "/confirm/standing", self.status, "read", described=False),
            Route("confirm.file", "GET", "/confirm/static/{file}", self._page.file, "page", described=False),
        )

    async def open(self, request: Request) -> Response:
        """The page before the confirmation, the same for every link."""
        return self._render(request, "ask")

    async def confirm(self, request: Request) -> Response | BadContentType:
        """Confirms, and answers the form with a page that says the result."""
        form = read_form(request)
        if isinstance(form, Refusal):
            return form
        challenge = form.get("challenge", "").strip()
        outcome = await self._directory.confirm_as_owner(
            challenge, form.get("password", ""), is_new="new" in form, address=request.client
        )
        match outcome:
            case WrongPassword():
                return self._render(request, "wrong", challenge=challenge)
            case InvalidData(faults=("bad_password",)):
                return self._render(request, "weak", challenge=challenge)
            case Allotted(waits=True):
                return self._render(request, "waits")
            case Allotted(server=server):
                return self._render(request, "done", server)
            case AlreadyConfirmed(server=server):
                return self._render(request, "confirmed", server)
            case InvalidData(faults=faults):
                return self._render(request, "email" if "taken_email" in faults else "name")
            case SignUpClosed() | SignUpNotInvited() | TooManyRequests():
                return self._render(request, "refused")
            case DirectoryRefusal():
                return self._render(request, "unknown")

    async def status(self, request: Request) -> ChallengeState | Unreadable:
        """The state of the challenge in the body, with the page's text; changes nothing."""
        challenge = read_text(request, "challenge")
        if isinstance(challenge, Refusal):
            return challenge
        status = await self._directory.challenge_status(challenge)
        passage = CATALOGUES[language_of(request)].confirm.state[status.state]
        values = {"name": status.username or ""}
        if status.begun_at is not None:
            when = iso_seconds(status.begun_at)[:16].replace("T", " ")
            values |= {"when": f"{when} UTC", "network": status.network or "—"}
        return ChallengeState(status.state, status.username, passage.title, fill(passage.text, values))

    def _render(
        self, request: Request, state: ConfirmState, server: str | None = None, challenge: str = ""
    ) -> Response:
        text = CATALOGUES[language_of(request)].confirm
        passage = text.state[state]
        return self._page.render(
            request, STATUS[state], t=text, state=state, passage=passage, server=server, challenge=challenge
        )
