"""A socket of an account, as the broker sees it."""

from typing import Literal, Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Receiver

FrameKind = Literal["plain", "resumable", "stream"]
"""plain: a WebSocket's. resumable: one with cursors. stream: Server-Sent Events, whose ids are cursors."""


class Subscriber(Protocol):
    """One socket of an account, as the broker sees it. No member of it blocks or raises.

    Where its frames carry cursors it gets the events of all rooms in the order of the log, so that a cursor covers
    everything before it. A plain one gets the events of each room in order.
    """

    account: AccountId
    """The account whose socket it is."""
    token: SecretHash
    """The hash of the token that the socket was opened with."""
    expires_at: Instant
    """When the token expires."""
    kind: FrameKind
    """Which form its frames have."""
    echo: bool
    """Whether it gets the events that its own account causes."""
    edits: bool
    """Whether it is told that posts are edited and deleted."""
    presence: bool
    """Whether its account is shown as present, and it is told who else is."""

    seen: bool
    """Whether it is told that its account has read a room."""

    @property
    def receiver(self) -> Receiver:
        """The session that sends the frames."""

    def end_nowait(self, reason: Refusal | None) -> None:
        """Sends the reason to the client, if there is one, and closes the socket."""

    def cut_nowait(self) -> None:
        """Closes the socket, since the log no longer has what it needs, or has heard; its client shall come again."""
