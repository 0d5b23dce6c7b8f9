"""Sending one message to a webhook's receiver."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class WebhookAnswer(msgspec.Struct, frozen=True):
    """retry_after: seconds that the receiver asks for; 0 for none. body: its beginning."""

    status: int
    retry_after: int = 0
    body: bytes = b""


class WebhookFault(Exception):
    """No answer. The message is for the operator, and contains nothing of the message that was sent."""


class WebhookSender(Protocol):
    """Bounded in time and bytes, follows no redirect, and connects to no private address unless that is allowed."""

    async def send(self, url: str, fields: Sequence[tuple[str, str]], body: bytes) -> WebhookAnswer:
        """POSTs once. Raises WebhookFault."""
