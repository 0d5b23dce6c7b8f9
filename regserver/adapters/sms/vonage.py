"""SMS by Vonage: POST /sms/json, a form. The answer is always 200; each part of the message has a status.

https://developer.vonage.com/en/api/sms
"""

import msgspec

from regserver.adapters.provider_client import ProviderAnswer, ProviderRequest
from regserver.adapters.sms.provider import SmsProvider
from regserver.config.provider import SmsVonage
from regserver.ports.sms import SmsFault

SENT = "0"


class _Part(msgspec.Struct):
    status: str


class _VonageReply(msgspec.Struct):
    messages: tuple[_Part, ...]


class VonageProvider(SmsProvider):
    """Status 0 of every part means that Vonage has accepted the message."""

    def __init__(self, settings: SmsVonage) -> None:
        self._settings = settings

    def request(self, phone: str, text: str) -> ProviderRequest:
        """A form with key and secret. A text beyond ASCII is marked, or it would lose letters."""
        settings = self._settings
        form = {
            "api_key": settings.api_key,
            "api_secret": settings.api_secret,
            "from": settings.from_,
            "to": phone.removeprefix("+"),
            "text": text,
        }
        if not text.isascii():
            form["type"] = "unicode"
        return ProviderRequest("POST", f"{settings.url.rstrip('/')}/sms/json", form=form)

    def check(self, answer: ProviderAnswer) -> None:
        """Raises SmsFault unless every part has status 0."""
        if answer.status != 200:
            raise SmsFault(f"Vonage answered with status {answer.status}")
        # The statuses alone: an error text may repeat the phone number.
        reply = answer.read(_VonageReply) or _VonageReply(())
        statuses = [part.status[:3] for part in reply.messages]
        if not statuses or any(status != SENT for status in statuses):
            raise SmsFault(f"Vonage refused with status {', '.join(statuses) or 'unknown'}")
