"""The presence link of a node that is alone."""

from regserver.domain.account import AccountId
from regserver.domain.presence import TypingNoticed
from regserver.ports.presence_link import PresenceLink


class NoOtherNode(PresenceLink):
    """The link of a node that is alone."""

    def came_nowait(self, account: AccountId) -> None:
        """Nobody has to know."""

    def went_nowait(self, account: AccountId) -> None:
        """Nobody has to know."""

    def typing_nowait(self, sign: TypingNoticed) -> None:
        """Nobody has to know."""
