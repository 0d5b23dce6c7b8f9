"""Sending text messages."""

from typing import Protocol


class SmsFault(Exception):
    """The message was not sent; the text is for the operator's log."""


class Sms(Protocol):
    """Sends SMS."""

    async def send(self, phone: str, text: str) -> None:
        """Sends a text to an E.164 number; returns when the provider has accepted it. Raises SmsFault."""
