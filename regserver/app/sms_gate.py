"""The SMS service with its guard: one for all doors that send codes, since the guard's bounds are of all together."""

from contextlib import AsyncExitStack

import msgspec

from regserver.adapters.provider_client import open_http_client
from regserver.app.outside import Outside
from regserver.config import Settings
from regserver.config.provider import SmsSection
from regserver.domain.contact import Pepper
from regserver.domain.phone import read_phone
from regserver.metric import Metrics, SmsCounter
from regserver.ports.sms import Sms
from regserver.service.sms_guard import SmsGuard, SmsPolicy


class SmsGate(msgspec.Struct, frozen=True):
    """own_text: the operator's, with {code} in it, for all codes and languages; "" for the built-in ones."""

    sms: Sms
    guard: SmsGuard
    own_text: str


async def open_sms(
    stack: AsyncExitStack, settings: Settings, outside: Outside, pepper: Pepper, metrics: Metrics
) -> SmsGate:
    """The configured service."""
    client = await stack.enter_async_context(open_http_client(settings.server.outbound_proxy))
    guard = SmsGuard(pepper, _policy(settings), SmsCounter(metrics).count)
    return SmsGate(outside.sms(settings.sms, client, outside.randomness), guard, settings.sms.text)


def _policy(settings: Settings) -> SmsPolicy:
    """The bounds of SMS. Messages that are only logged cost nothing and have none."""
    sms = settings.sms
    return SmsPolicy(
        countries=frozenset(sms.countries),
        daily_max=sms.daily_max,
        guarded=sms.used_kinds != {"log"},
        test=read_test_numbers(sms) if settings.server.test_mode else {},
    )


def read_test_numbers(sms: SmsSection) -> dict[str, str]:
    """The normalised test numbers with their codes."""
    read = {read_phone(number): str(code) for number, code in sms.test.items()}
    return {number: code for number, code in read.items() if number is not None}
