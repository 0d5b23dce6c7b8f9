"""Sending to a push service."""

from typing import Literal, Protocol

from regserver.domain.instant import Duration
from regserver.domain.push import PushOrder, PushTarget

PushOutcome = Literal["accepted", "gone", "refused"] | Duration | None
"""accepted: it is the push service's. gone: it knows the subscription no longer. refused: it will never take this message.
A Duration: not before so long. None: it did not answer, or failed."""


class PushSender(Protocol):
    """A push service, whichever the target names."""

    async def send(self, target: PushTarget, payload: bytes, order: PushOrder) -> PushOutcome:
        """Encrypts and sends one message; takes a bounded time."""
