"""Ways to send an SMS. A further provider is one module and one line in DRIVERS."""

from collections.abc import Callable, Mapping

from regserver.adapters.provider_client import ProviderClient, ProviderHttp
from regserver.adapters.sms.http import HttpProvider
from regserver.adapters.sms.log import LogSms
from regserver.adapters.sms.provider import ProviderSms
from regserver.adapters.sms.share import SharedSms
from regserver.adapters.sms.twilio import TwilioProvider
from regserver.adapters.sms.vonage import VonageProvider
from regserver.config.provider import SmsSection
from regserver.ports.randomness import Randomness
from regserver.ports.sms import Sms

DRIVERS: Mapping[str, Callable[[SmsSection, ProviderClient], Sms]] = {
    "log": lambda settings, client: LogSms(),
    "http": lambda settings, client: ProviderSms(client, HttpProvider(settings.http)),
    "twilio": lambda settings, client: ProviderSms(client, TwilioProvider(settings.twilio)),
    "vonage": lambda settings, client: ProviderSms(client, VonageProvider(settings.vonage)),
}


def build_sms(settings: SmsSection, http: ProviderHttp, randomness: Randomness) -> Sms:
    """The configured provider, or several that share the messages by weight."""
    client = ProviderClient(http, settings.timeout)
    if not settings.weights:
        return DRIVERS[settings.kind](settings, client)
    shares = {str(kind): weight for kind, weight in settings.weights.items() if weight > 0}
    drivers = {kind: (DRIVERS[kind](settings, client), weight) for kind, weight in shares.items()}
    return SharedSms(drivers, randomness)
