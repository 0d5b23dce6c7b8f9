"""A socket of an account, as the broker sees it."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Receiver


class Subscriber(Protocol):
    """One socket of an account, as the broker sees it. Nothing of it blocks or raises.

    resumable: its frames carry cursors, and it hears all its rooms in the one order of the log, so that each cursor
    stands for everything before it. Other sockets hear each room in order.
    """

    @property
    def account(self) -> AccountId:
        """Whose socket it is."""

    @property
    def token(self) -> SecretHash:
        """The hash of the token that the socket lives on."""

    @property
    def expires_at(self) -> Instant:
        """When the token ends."""

    @property
    def resumable(self) -> bool:
        """Whether its frames carry cursors."""

    @property
    def receiver(self) -> Receiver:
        """What takes the frames."""

    def end_nowait(self, reason: Refusal | None) -> None:
        """Tells the client why, if there is a reason, and closes."""
