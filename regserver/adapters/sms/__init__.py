"""Ways to send an SMS. A further provider is one module and one line in DRIVERS."""

from collections.abc import Callable, Mapping

import httpx

from regserver.adapters.outbound import Outbound
from regserver.adapters.sms.http import HttpSms
from regserver.adapters.sms.log import LogSms
from regserver.adapters.sms.share import SharedSms
from regserver.adapters.sms.twilio import TwilioSms
from regserver.adapters.sms.vonage import VonageSms
from regserver.config.setting import SmsSection
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms

DRIVERS: Mapping[str, Callable[[SmsSection, Outbound], Sms]] = {
    "log": lambda settings, outbound: LogSms(),
    "http": lambda settings, outbound: HttpSms(outbound, settings.http),
    "twilio": lambda settings, outbound: TwilioSms(outbound, settings.twilio),
    "vonage": lambda settings, outbound: VonageSms(outbound, settings.vonage),
}


def build_sms(settings: SmsSection, client: httpx.AsyncClient, randomness: Randomness) -> Sms:
    """The provider, or several with their shares."""
    outbound = Outbound(client, settings.timeout)
    if not settings.weights:
        return DRIVERS[settings.kind](settings, outbound)
    return SharedSms(
        {
            str(kind): (DRIVERS[kind](settings, outbound), weight)
            for kind, weight in settings.weights.items()
            if weight > 0
        },
        randomness,
    )
