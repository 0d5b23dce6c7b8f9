"""When sessions were last used: noted in memory with each request, written once a minute for all of them.

So a request costs no write. What was noted since the last writing is lost with a killed process.
"""

from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash

MOST_NOTED = 200_000
"""Sessions that are noted between two writings, some 30 MB; the uses of further ones are not noted."""


class SessionUses:
    """The uses since the last writing. One for all doors."""

    def __init__(self) -> None:
        self._at: dict[SecretHash, Instant] = {}

    def note(self, token: SecretHash, now: Instant) -> None:
        """The token was used. Called in the store's threads as well; units may be run again, which changes nothing."""
        if len(self._at) < MOST_NOTED:
            self._at[token] = now

    def at(self, token: SecretHash) -> Instant:
        """The use that is noted; 0 where there is none."""
        return self._at.get(token, Instant(0))

    def take(self) -> dict[SecretHash, Instant]:
        """All of them; from here on new ones are noted."""
        taken, self._at = self._at, {}
        # A thread may still note one in what is taken, so that is copied in one step.
        return taken.copy()
