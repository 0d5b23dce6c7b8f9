"""A socket of an account, as the broker sees it."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Receiver


class Subscriber(Protocol):
    """One socket of an account, as the broker sees it. No member of it blocks or raises.

    The frames of a resumable subscriber carry cursors. It gets the events of all rooms in the order of the log, so that a
    cursor covers everything before it. Others get the events of each room in order.
    """

    account: AccountId
    """The account whose socket it is."""
    token: SecretHash
    """The hash of the token that the socket was opened with."""
    expires_at: Instant
    """When the token expires."""
    resumable: bool
    """Whether its frames carry cursors."""
    echo: bool
    """Whether it gets the events that its own account causes."""

    @property
    def receiver(self) -> Receiver:
        """The session that sends the frames."""

    def end_nowait(self, reason: Refusal | None) -> None:
        """Sends the reason to the client, if there is one, and closes the socket."""
