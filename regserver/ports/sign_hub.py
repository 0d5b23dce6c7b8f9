"""What other nodes pass on, as the sockets of this node hear of it."""

from typing import Protocol

from regserver.domain.presence import PassedSign
from regserver.ports.sign_link import SignLink


class SignHub(Protocol):
    """The sockets of one node. No method blocks or raises."""

    def link_signs_nowait(self, link: SignLink) -> None:
        """From now on the link gets what happens here."""

    def hear_nowait(self, sign: PassedSign) -> None:
        """Another node has passed it on."""
