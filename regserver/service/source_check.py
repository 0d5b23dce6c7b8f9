"""Checking credentials with the source, for a bounded number of sign-ins at once."""

import logging

from regserver.domain.outcome import SourceUnavailable
from regserver.ports.source import Accepted, Rejected, Source, Unavailable

log = logging.getLogger("regserver.sign_in")

RETRY_AFTER_SECONDS = 5


class SourceCheck:
    """max_asking: sign-ins that may wait for the source at once."""

    def __init__(self, source: Source, max_asking: int) -> None:
        self._source = source
        self._max_asking = max_asking
        self._asking = 0

    async def verify(self, username: str, password: str) -> Accepted | Rejected | SourceUnavailable:
        """The source's verdict on the credentials. A sign-in beyond the bound is refused at once."""
        if self._asking >= self._max_asking:
            return SourceUnavailable(RETRY_AFTER_SECONDS)
        self._asking += 1
        try:
            verdict = await self._source.verify(username, password)
        finally:
            self._asking -= 1
        if isinstance(verdict, Unavailable):
            log.warning("the source cannot check a sign-in: %s", verdict.detail)
            return SourceUnavailable(RETRY_AFTER_SECONDS)
        return verdict
