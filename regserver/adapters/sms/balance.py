"""What is left of the money at an SMS provider, where the provider tells.

https://www.twilio.com/docs/usage/api (Balance.json), https://developer.vonage.com/en/account/code-snippets/account-balance
"""

import base64
from collections.abc import Callable, Mapping

import msgspec

from regserver.adapters.provider_client import ProviderAnswer, ProviderRequest
from regserver.config.provider import SmsKind, SmsSection


class Balance(msgspec.Struct, frozen=True):
    """currency: "" where the provider does not say."""

    amount: float
    currency: str = ""


class _TwilioBalance(msgspec.Struct):
    balance: str
    currency: str = ""


class _VonageBalance(msgspec.Struct):
    value: float


ReadBalance = Callable[[ProviderAnswer], Balance | None]


def _basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def _twilio(sms: SmsSection) -> tuple[ProviderRequest, ReadBalance]:
    own = sms.twilio
    url = f"{own.url.rstrip('/')}/2010-04-01/Accounts/{own.account_sid}/Balance.json"
    return ProviderRequest("GET", url, headers=_basic(own.account_sid, own.auth_token)), _read_twilio


def _read_twilio(answer: ProviderAnswer) -> Balance | None:
    reply = answer.read(_TwilioBalance) if answer.good else None
    try:
        return None if reply is None else Balance(float(reply.balance), reply.currency[:3])
    except ValueError:
        return None


def _vonage(sms: SmsSection) -> tuple[ProviderRequest, ReadBalance]:
    own = sms.vonage
    url = f"{own.url.rstrip('/')}/account/get-balance"
    return ProviderRequest("GET", url, headers=_basic(own.api_key, own.api_secret)), _read_vonage


def _read_vonage(answer: ProviderAnswer) -> Balance | None:
    reply = answer.read(_VonageBalance) if answer.good else None
    return None if reply is None else Balance(reply.value, "EUR")


BALANCES: Mapping[SmsKind, Callable[[SmsSection], tuple[ProviderRequest, ReadBalance]]] = {
    "twilio": _twilio,
    "vonage": _vonage,
}
"""By provider: the request, and the reading of its answer."""
