"""Live registrations as the nodes on one store see them."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant


class LiveRow(msgspec.Struct, frozen=True):
    """One registration. id: a hash of its address. person: a keyed hash. run: of the process that may add to it, see NodeRun.

    events: how many it has. sealed: see LiveSeal. over_at: None while it runs.
    """

    id: bytes
    person: bytes
    run: bytes
    events: int
    sealed: bytes
    over_at: Instant | None = None


LiveAdded = Literal["added", "taken", "full"]
"""taken: one of the same person runs. full: so many run that no further one may."""


class LiveEnd(msgspec.Struct, frozen=True):
    """account: that was made; None for a registration that failed."""

    at: Instant
    account: AccountId | None = None


class LiveTable(Protocol):
    """Registrations and their events, numbered from 1 without gaps."""

    async def add(self, row: LiveRow, most: int) -> LiveAdded:
        """Adds a registration without events, unless so many run. Takes Lock.LIVE: the unit should end soon afterwards."""

    async def find(self, job: bytes) -> LiveRow | None:
        """One registration."""

    async def of_person(self, person: bytes) -> LiveRow | None:
        """The one that runs."""

    async def running(self) -> tuple[LiveRow, ...]:
        """All that run, on every node."""

    async def hold(self, job: bytes, run: bytes) -> bool:
        """Keeps the registration this run's until the unit ends; False if it is not this run's (atomic)."""

    async def take_over(self, row: LiveRow, run: bytes) -> bool:
        """Gives one that runs to another run; False if it is over, or another run's than in `row` by now (atomic)."""

    async def append(
        self, row: tuple[bytes, bytes], first: int, sealed: Sequence[bytes], end: LiveEnd | None
    ) -> bool:
        """Adds events from the number `first` on, and its end. row: the registration and its run.

        False if it is not this run's (atomic). Events that are there already stay as they are, and so does an end.
        """

    async def lengths(self, jobs: Sequence[bytes]) -> Mapping[bytes, int]:
        """How many events each of these has; those that are no more are left out."""

    async def events(self, job: bytes, after: int, limit: int) -> tuple[bytes, ...]:
        """Its events behind the number `after`, sealed, in order."""

    async def purge(self, before: Instant) -> int:
        """Removes those that were over before; returns how many."""
