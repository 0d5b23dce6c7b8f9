"""SMS by an HTTP request that the operator describes: URL and body are templates, header fields are sent as they are.

{phone} and {message} are escaped for their place: percent-encoded in the URL and in form bodies, as part of a string in
JSON bodies, unchanged elsewhere. So no text can change the rest of the request.
"""

import re
from urllib.parse import quote

import msgspec

from regserver.adapters.provider_client import ProviderAnswer, ProviderRequest
from regserver.adapters.sms.provider import SmsProvider
from regserver.config.provider import SmsHttp
from regserver.ports.sms import SmsFault

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class HttpProvider(SmsProvider):
    """settings: the templates. A status of 2xx means that the provider has accepted the message."""

    def __init__(self, settings: SmsHttp) -> None:
        self._settings = settings
        self._type = _content_type(settings)

    def request(self, phone: str, text: str) -> ProviderRequest:
        """The templates, filled in."""
        settings = self._settings
        url = _fill(settings.url, FORM, phone, text)
        headers = {"content-type": self._type} | {k.lower(): v for k, v in settings.headers.items()}
        content = _fill(settings.body, self._type, phone, text).encode()
        return ProviderRequest(settings.method.upper(), url, headers=headers, content=content)

    def check(self, answer: ProviderAnswer) -> None:
        """Raises SmsFault unless the status is 2xx."""
        if not answer.good:
            raise SmsFault(f"the provider answered with status {answer.status}")


def _content_type(settings: SmsHttp) -> str:
    """The configured type; else JSON if the body template looks like it, else a form."""
    for name, value in settings.headers.items():
        if name.lower() == "content-type":
            return value.partition(";")[0].strip().lower()
    return JSON if settings.body.lstrip().startswith(("{", "[")) else FORM


def _fill(template: str, kind: str, phone: str, text: str) -> str:
    """Fills in both values in one pass, so that a placeholder inside the message stays text."""
    values = {"{phone}": _escape(phone, kind), "{message}": _escape(text, kind)}
    return re.sub(r"\{phone\}|\{message\}", lambda found: values[found[0]], template)


def _escape(value: str, kind: str) -> str:
    if kind == FORM:
        return quote(value, safe="")
    if kind == JSON or kind.endswith("+json"):
        return msgspec.json.encode(value).decode()[1:-1]
    return value
