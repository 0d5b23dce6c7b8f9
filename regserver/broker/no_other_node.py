"""The links of a node that is alone."""

from regserver.domain.account import AccountId
from regserver.domain.presence import PassedSign
from regserver.ports.presence_link import PresenceLink
from regserver.ports.sign_link import SignLink


class NoOtherNode(PresenceLink, SignLink):
    """Nobody has to know."""

    def came_nowait(self, account: AccountId) -> None:
        """Nothing."""

    def went_nowait(self, account: AccountId) -> None:
        """Nothing."""

    def begin_anew_nowait(self) -> None:
        """Nothing."""

    def pass_nowait(self, sign: PassedSign) -> None:
        """Nothing."""
