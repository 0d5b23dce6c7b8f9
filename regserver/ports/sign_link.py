"""What one node passes on to the others, which nobody keeps."""

from typing import Protocol

from regserver.domain.presence import PassedSign


class SignLink(Protocol):
    """Some signs may be lost."""

    def pass_nowait(self, sign: PassedSign) -> None:
        """Tells the other nodes soon; must not block or raise."""
