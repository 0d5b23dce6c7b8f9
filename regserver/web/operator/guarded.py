"""Pages for signed-in operators: others are led to the entry, and a page says what the role may not see."""

import re
import urllib.parse
from collections.abc import Awaitable, Callable

import msgspec

from regserver.domain.operator_outcome import NotPermitted
from regserver.domain.outcome import BadToken, Refusal
from regserver.endpoint import Request, Response
from regserver.errors import STATUS
from regserver.text import OperatorText
from regserver.web.http.pipeline import RouteEndpoint
from regserver.web.operator.frame import OperatorFrame, language_field, redirect, words
from regserver.web.operator.session import EntryWay, OperatorVisit, VisitReader, no_session
from regserver.web.operator.view import OperatorView

PLACE = re.compile(r"[a-z]{1,20}(?:/[0-9]{1,16})?", re.ASCII)
"""A page that somebody may be led to after the entry."""


class Asked(msgspec.Struct, frozen=True):
    """What a page is made from."""

    request: Request
    visit: OperatorVisit
    door: EntryWay
    t: OperatorText

    def query(self, name: str) -> str:
        """The last value of a parameter; "" for none."""
        return urllib.parse.parse_qs(self.request.query).get(name, [""])[-1].strip()


PageMaker = Callable[[Asked], Awaitable[OperatorView | Refusal]]


class PageGuard:
    """reader: finds who is signed in. frame: renders."""

    def __init__(self, reader: VisitReader, frame: OperatorFrame) -> None:
        self.reader = reader
        self.frame = frame

    def page(self, make: PageMaker) -> RouteEndpoint:
        """The endpoint of a page."""

        async def endpoint(request: Request) -> Response:
            asked = await self.asked(request)
            if isinstance(asked, Response):
                return asked
            view = await make(asked)
            if isinstance(view, Refusal):
                return self.refuse(asked, view)
            return self.frame.show(request, asked.door, asked.visit, view)

        return endpoint

    async def asked(self, request: Request) -> Asked | Response:
        """The request with its operator; without one, the way to the entry. Raises StoreFault."""
        door, visit = self.reader.door(request), await self.reader.visit(request)
        if visit is None:
            return self.to_entry(request, door)
        return Asked(request, visit, door, words(request))

    def to_entry(self, request: Request, door: EntryWay) -> Response:
        """The way to the entry, and from there back to a page that was only looked at."""
        place = request.path.removeprefix("/operator").strip("/")
        is_kept = request.method == "GET" and PLACE.fullmatch(place) is not None
        fields = (*no_session(door), *language_field(request))
        return redirect(request, f"enter?to={place}" if is_kept else "enter", fields)

    def refuse(self, asked: Asked, refusal: Refusal) -> Response:
        """A page that says what the refusal means."""
        if isinstance(refusal, BadToken):  # the key ended meanwhile
            return self.to_entry(asked.request, asked.door)
        title = asked.t.word["notPermitted" if isinstance(refusal, NotPermitted) else "notFound"]
        view = OperatorView(title, "", (), lead=fault_words(asked.t, refusal))
        return self.frame.show(
            asked.request, asked.door, asked.visit, view, status=STATUS.get(type(refusal), 404)
        )


def fault_words(t: OperatorText, refusal: Refusal) -> str:
    """What a refusal means, for people."""
    text = t.fault.get(type(refusal).__name__) or t.fault["other"]
    hint = getattr(refusal, "hint", "")
    seconds = getattr(refusal, "retry_after", "")
    return text.replace("{hint}", str(hint)).replace("{seconds}", str(seconds))
