"""SMS by Twilio: POST /2010-04-01/Accounts/{AccountSid}/Messages.json, a form, HTTP Basic.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
"""

import base64

import msgspec

from regserver.adapters.outbound import Outbound
from regserver.adapters.sms.provider import ProviderSms
from regserver.config.setting import SmsTwilio
from regserver.ports.sms import SmsFault

REFUSED = frozenset({"failed", "undelivered", "canceled"})


class _Reply(msgspec.Struct):
    status: str = ""
    code: int | None = None
    error_code: int | None = None


class TwilioSms(ProviderSms):
    """201 with a status that is no failure means that the message was taken."""

    def __init__(self, outbound: Outbound, settings: SmsTwilio) -> None:
        super().__init__(outbound)
        self._settings = settings

    async def send(self, phone: str, text: str) -> None:
        settings = self._settings
        form = {"To": phone, "Body": text}
        if settings.messaging_service_sid:
            form["MessagingServiceSid"] = settings.messaging_service_sid
        else:
            form["From"] = settings.from_
        credentials = base64.b64encode(f"{settings.account_sid}:{settings.auth_token}".encode()).decode()
        answer = await self.ask(
            "POST",
            f"{settings.url.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/Messages.json",
            headers={"authorization": f"Basic {credentials}"},
            form=form,
        )
        reply = _read(answer.body)
        if answer.status != 201 or reply.status in REFUSED:
            code = reply.code or reply.error_code or "no code"
            raise SmsFault(f"Twilio answered with status {answer.status}, {code}")


def _read(content: bytes) -> _Reply:
    """Only numbers of an error are told: its text repeats the phone number."""
    try:
        return msgspec.json.decode(content, type=_Reply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Reply()
