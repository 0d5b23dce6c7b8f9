"""SMS by Twilio: POST /2010-04-01/Accounts/{AccountSid}/Messages.json, a form, HTTP Basic.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
"""

import base64

import msgspec

from regserver.adapters.provider_client import ProviderAnswer, ProviderRequest
from regserver.adapters.sms.provider import SmsProvider
from regserver.config.provider import SmsTwilio
from regserver.ports.sms import SmsFault

REFUSED = frozenset({"failed", "undelivered", "canceled"})


class _TwilioReply(msgspec.Struct):
    status: str = ""
    code: int | None = None
    error_code: int | None = None


class TwilioProvider(SmsProvider):
    """A status of 201 whose body names no failure means that Twilio has accepted the message."""

    def __init__(self, settings: SmsTwilio) -> None:
        self._settings = settings

    def request(self, phone: str, text: str) -> ProviderRequest:
        """A form with HTTP Basic."""
        settings = self._settings
        service = settings.messaging_service_sid
        sender = {"MessagingServiceSid": service} if service else {"From": settings.from_}
        credentials = base64.b64encode(f"{settings.account_sid}:{settings.auth_token}".encode()).decode()
        url = f"{settings.url.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"
        form = {"To": phone, "Body": text} | sender
        return ProviderRequest("POST", url, headers={"authorization": f"Basic {credentials}"}, form=form)

    def check(self, answer: ProviderAnswer) -> None:
        """Raises SmsFault with Twilio's error code."""
        # The numbers alone: its error text repeats the phone number.
        reply = answer.read(_TwilioReply) or _TwilioReply()
        if answer.status != 201 or reply.status in REFUSED:
            code = reply.code or reply.error_code or "no code"
            raise SmsFault(f"Twilio answered with status {answer.status}, {code}")
