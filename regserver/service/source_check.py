"""Asking the source about a sign-in, for a bounded number of them at once."""

import logging

from regserver.domain.outcome import SourceUnavailable
from regserver.ports.account_table import SourceLink
from regserver.ports.source import Accepted, Rejected, Source, Unavailable

log = logging.getLogger("regserver.sign_in")


class SourceCheck:
    """kind: of the source, such as "http": its people are told apart from those of other kinds.
    max_asking: sign-ins that may wait for the source at once.
    """

    def __init__(self, source: Source, kind: str, max_asking: int) -> None:
        self.kind = kind
        self._source = source
        self._max_asking = max_asking
        self._asking = 0

    def owns(self, link: SourceLink) -> bool:
        """Whether an account is of this source; one of an unknown kind is of whichever source is in force."""
        return link.source in {self.kind, ""}

    async def verify(self, username: str, password: str) -> Accepted | Rejected | SourceUnavailable:
        """The source's verdict on the credentials. A sign-in beyond the bound is refused at once."""
        if self._asking >= self._max_asking:
            return SourceUnavailable()
        self._asking += 1
        try:
            verdict = await self._source.verify(username, password)
        finally:
            self._asking -= 1
        if isinstance(verdict, Unavailable):
            log.warning("the source cannot check a sign-in: %s", verdict.detail)
            return SourceUnavailable()
        return verdict
