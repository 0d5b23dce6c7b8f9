"""Times that lie further ahead than they can: a clock that was wrong has written them."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Duration, Instant


class Horizons(msgspec.Struct, frozen=True, kw_only=True):
    """The longest that each kind of time can lie ahead.

    mail: the next try of a waiting mail. retry: the next code of a contact. registration: the end of an unfinished
    registration by steps. reservation: the end of a reserved name. closure: of a country for SMS.
    """

    mail: Duration
    retry: Duration
    registration: Duration
    reservation: Duration
    closure: Duration


class FutureTable(Protocol):
    """All tables with times that somebody waits for."""

    async def pull_in(self, now: Instant, horizons: Horizons) -> int:
        """Moves times beyond their horizon to the end of it, and beginnings that lie ahead to now (atomic); how many rows.

        What waits is due after its longest delay at the latest. What was counted stays counted.
        """
