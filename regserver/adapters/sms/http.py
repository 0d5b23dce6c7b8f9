"""SMS by an HTTP request of the operator's own shape: URL, headers and body are templates.

{phone} and {message} go in escaped for where they stand: percent-encoded in the URL and in form
bodies, as the inside of a JSON string in JSON bodies, as they are elsewhere. So no text can break out of its place.
"""

from urllib.parse import quote

import msgspec

from regserver.adapters.outbound import Outbound
from regserver.adapters.sms.provider import ProviderSms
from regserver.config.setting import SmsHttp
from regserver.ports.sms import SmsFault

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class HttpSms(ProviderSms):
    """Any 2xx means that the message was taken."""

    def __init__(self, outbound: Outbound, settings: SmsHttp) -> None:
        super().__init__(outbound)
        self._settings = settings
        self._type = _content_type(settings)

    async def send(self, phone: str, text: str) -> None:
        settings = self._settings
        answer = await self.ask(
            settings.method.upper(),
            _fill(settings.url, FORM, phone, text),
            headers={"content-type": self._type} | {k.lower(): v for k, v in settings.headers.items()},
            content=_fill(settings.body, self._type, phone, text).encode(),
        )
        if not answer.good:
            raise SmsFault(f"the provider answered with status {answer.status}")


def _content_type(settings: SmsHttp) -> str:
    """As configured; else JSON or a form, by the look of the body."""
    for name, value in settings.headers.items():
        if name.lower() == "content-type":
            return value.partition(";")[0].strip().lower()
    return JSON if settings.body.lstrip().startswith(("{", "[")) else FORM


def _fill(template: str, kind: str, phone: str, text: str) -> str:
    """One pass over the template, so that a placeholder inside the message stays text."""
    values = {"{phone}": _escape(phone, kind), "{message}": _escape(text, kind)}
    filled, rest = "", template
    while rest:
        at, found = min(((rest.find(name), name) for name in values if name in rest), default=(len(rest), ""))
        filled += rest[:at] + values.get(found, "")
        rest = rest[at + len(found) :]
    return filled


def _escape(value: str, kind: str) -> str:
    if kind == FORM:
        return quote(value, safe="")
    if kind == JSON or kind.endswith("+json"):
        return msgspec.json.encode(value).decode()[1:-1]
    return value
