"""SMS by Vonage: POST /sms/json, a form. The answer is 200 whatever happened; each part of the message has a status.

https://developer.vonage.com/en/api/sms
"""

import msgspec

from regserver.adapters.outbound import Outbound
from regserver.adapters.sms.provider import ProviderSms
from regserver.config.setting import SmsVonage
from regserver.ports.sms import SmsFault

SENT = "0"


class _Part(msgspec.Struct):
    status: str


class _Reply(msgspec.Struct):
    messages: tuple[_Part, ...]


class VonageSms(ProviderSms):
    """Taken when every part has status 0."""

    def __init__(self, outbound: Outbound, settings: SmsVonage) -> None:
        super().__init__(outbound)
        self._settings = settings

    async def send(self, phone: str, text: str) -> None:
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
        answer = await self.ask("POST", f"{settings.url.rstrip('/')}/sms/json", form=form)
        if answer.status != 200:
            raise SmsFault(f"Vonage answered with status {answer.status}")
        statuses = _statuses(answer.body)
        if not statuses or any(status != SENT for status in statuses):
            raise SmsFault(f"Vonage refused with status {', '.join(statuses) or 'unknown'}")


def _statuses(content: bytes) -> tuple[str, ...]:
    """Of the parts. The error texts beside them may repeat the number and are left out."""
    try:
        return tuple(part.status[:3] for part in msgspec.json.decode(content, type=_Reply).messages)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
