"""What this node tells the other nodes about the people who are present on it."""

from typing import Protocol

from regserver.domain.account import AccountId


class PresenceLink(Protocol):
    """Each node has a set of people who are present on it. The link tells its changes; no method blocks or raises."""

    def came_nowait(self, account: AccountId) -> None:
        """The account is present on this node from now on."""

    def went_nowait(self, account: AccountId) -> None:
        """It is no longer."""

    def begin_anew_nowait(self) -> None:
        """Nobody of the other nodes is known here any more: they are to be told again."""
