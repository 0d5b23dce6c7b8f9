"""`GET /mailbox`: what a server for trying out would have sent, for the page on the same machine."""

from regserver.domain.instant import iso_seconds
from regserver.domain.outcome import OperatorsOnly
from regserver.endpoint import Request
from regserver.service.letter_box import Letter, LetterBox
from regserver.web.http.answer import JsonAnswer
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.operator import OperatorGate
from regserver.web.http.route import Route


class MailboxShown(JsonAnswer, frozen=True):
    """The messages, the newest first."""

    letters: tuple[dict[str, str | int], ...]


class MailboxApi:
    """Shows it to programs on this machine that call the server by a loopback name, and to nobody for whom another asks."""

    def __init__(self, mailbox: LetterBox, forwarded: ForwardedReader) -> None:
        self._mailbox = mailbox
        self._gate = OperatorGate(forwarded)

    def routes(self) -> tuple[Route, ...]:
        """Its only route."""
        return (Route("site.mailbox", "GET", "/mailbox", self.show, "read", described=False),)

    async def show(self, request: Request) -> MailboxShown | OperatorsOnly:
        """The messages that are kept."""
        if not self._gate.admits(request):
            return OperatorsOnly()
        return MailboxShown(tuple(map(_shown, self._mailbox.letters())))


def _shown(letter: Letter) -> dict[str, str | int]:
    return {
        "number": letter.number,
        "kind": letter.kind,
        "to": letter.to,
        "subject": letter.subject,
        "text": letter.text,
        "at": iso_seconds(letter.at),
    }
