"""Where the nodes on one store see each other's live registrations. A node that is alone has none to see.

a job here ──grown──► the board ──► other nodes, whose observers read it there as if it ran there
"""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.live_progress import ProgressEvent, RegistrationId
from regserver.ports.source import Subject
from regserver.ports.transaction import Transaction
from regserver.service.live_history import LiveHistory
from regserver.service.live_job import LiveJob


class LiveFull(Exception):
    """As many registrations run on all nodes as may."""


class LiveBoard(Protocol):
    """What takes a transaction is part of the caller's unit of work. is_shared: whether there may be other nodes."""

    is_shared: bool

    async def running(self, subject: Subject) -> RegistrationId | None:
        """A person's registration that another node runs; None without one. Raises StoreFault."""

    async def claim(self, transaction: Transaction, job: LiveJob, username: str) -> RegistrationId | None:
        """Shows a registration that is to begin, unless one of the same person runs: then that one's id.

        username: that is reserved for it. Raises LiveFull, which undoes the unit.
        """

    async def hold(self, transaction: Transaction, job: LiveJob) -> bool:
        """Keeps the registration this node's to the end of the unit; False if another node has ended it."""

    async def end(
        self,
        transaction: Transaction,
        job: LiveJob,
        last: ProgressEvent | None = None,
        account: AccountId | None = None,
    ) -> bool:
        """Shows its end. last: an event that its history has not got yet. False if another node has ended it."""

    def expect_nowait(self, job: LiveJob) -> None:
        """It is about to be claimed here."""

    def grown_nowait(self, job: LiveJob) -> None:
        """Its history has grown."""

    def forget_nowait(self, job: LiveJob) -> None:
        """It runs no more, or has not begun."""

    async def find(self, registration: RegistrationId) -> LiveHistory | None:
        """A registration of another node, or of one that is dead. Raises StoreFault."""

    async def run(self) -> None:
        """The board's work, until cancelled."""

    def stop(self) -> None:
        """Ends what is shown here of other nodes, since this one stops."""


class LoneBoard(LiveBoard):
    """That of a node which has its store to itself: nobody else looks, and nothing is written."""

    is_shared = False

    async def running(self, subject: Subject) -> RegistrationId | None:
        """None: all run here."""
        return None

    async def claim(self, transaction: Transaction, job: LiveJob, username: str) -> RegistrationId | None:
        """None, as above."""
        return None

    async def hold(self, transaction: Transaction, job: LiveJob) -> bool:
        """Nobody else could end it."""
        return True

    async def end(
        self,
        transaction: Transaction,
        job: LiveJob,
        last: ProgressEvent | None = None,
        account: AccountId | None = None,
    ) -> bool:
        """As above."""
        return True

    def expect_nowait(self, job: LiveJob) -> None:
        """Nothing is kept."""

    def grown_nowait(self, job: LiveJob) -> None:
        """Nobody is told."""

    def forget_nowait(self, job: LiveJob) -> None:
        """Nothing is kept."""

    async def find(self, registration: RegistrationId) -> LiveHistory | None:
        """None: all are here."""
        return None

    async def run(self) -> None:
        """There is none."""

    def stop(self) -> None:
        """Nothing is shown."""
