"""What the drivers of providers have in common: one request, and every way of no answer as a fault."""

from collections.abc import Mapping

from regserver.adapters.outbound import Answer, NoAnswer, Outbound
from regserver.ports.sms import Sms, SmsFault


class ProviderSms(Sms):
    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Raises SmsFault."""
        try:
            return await self._outbound.ask(method, url, headers=headers, form=form, content=content)
        except NoAnswer as fault:
            raise SmsFault(str(fault)) from None
