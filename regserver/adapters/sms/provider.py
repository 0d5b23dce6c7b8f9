"""The common part of SMS providers: one HTTP request, whose answer says whether the message was accepted."""

from typing import Protocol

from regserver.adapters.provider_client import NoAnswer, ProviderAnswer, ProviderClient, ProviderRequest
from regserver.ports.sms import Sms, SmsFault


class SmsProvider(Protocol):
    """One provider's HTTP interface."""

    def request(self, phone: str, text: str) -> ProviderRequest:
        """The request that sends `text` to `phone`, an E.164 number."""

    def check(self, answer: ProviderAnswer) -> None:
        """Raises SmsFault unless the provider has accepted the message."""


class ProviderSms(Sms):
    """Sends by one provider."""

    def __init__(self, client: ProviderClient, provider: SmsProvider) -> None:
        self._client = client
        self._provider = provider

    async def send(self, phone: str, text: str) -> None:
        """See Sms."""
        try:
            answer = await self._client.ask(self._provider.request(phone, text))
        except NoAnswer as fault:
            raise SmsFault(str(fault)) from None
        self._provider.check(answer)
