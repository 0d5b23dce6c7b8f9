"""The settings of captcha, SMS, mail and ledger: services of others, each with what it must be told once it is chosen."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from regserver.config.section import Fault, Secret, Section, within
from regserver.domain.instant import MINUTE, SECOND, Duration

SmsKind = Literal["log", "http", "twilio", "vonage"]


class CaptchaSection(Section, frozen=True):
    """url: instead of the service's own address. secret_*: one per platform, each with its own site key."""

    kind: Literal["none", "recaptcha", "hcaptcha", "turnstile"] = "none"
    url: str = ""
    timeout: Duration = Duration(5 * SECOND)
    secret_web: Secret = Secret("")
    secret_android: Secret = Secret("")
    secret_ios: Secret = Secret("")


class SmsHttp(Section, frozen=True):
    """A request: {phone} and {message} are filled into url and body."""

    url: str = ""
    method: str = "POST"
    headers: dict[str, Secret] = msgspec.field(default_factory=dict)
    body: str = '{"to": "{phone}", "text": "{message}"}'


class SmsTwilio(Section, frozen=True, rename={"from_": "from"}):
    """from, messaging_service_sid: one of them says who sends."""

    account_sid: str = ""
    auth_token: Secret = Secret("")
    from_: str = ""
    messaging_service_sid: str = ""
    url: str = "https://api.twilio.com"


class SmsVonage(Section, frozen=True, rename={"from_": "from"}):
    """from: a number or name of the sender."""

    api_key: str = ""
    api_secret: Secret = Secret("")
    from_: str = ""
    url: str = "https://rest.nexmo.com"


class SmsSection(Section, frozen=True):
    """weights: several providers with their shares of the messages; empty: `kind` alone sends them.
    text: what brings a code, with {code} in it; empty: the built-in words, in the reader's language.
    """

    kind: SmsKind = "log"
    weights: dict[SmsKind, int] = msgspec.field(default_factory=dict)
    text: str = ""
    timeout: Duration = Duration(10 * SECOND)
    http: SmsHttp = SmsHttp()
    twilio: SmsTwilio = SmsTwilio()
    vonage: SmsVonage = SmsVonage()

    @property
    def used_kinds(self) -> set[SmsKind]:
        """The providers that get a share of the messages."""
        return {kind for kind, weight in self.weights.items() if weight} or {self.kind}


class MailSection(Section, frozen=True, rename={"from_": "from"}):
    """smtp: see `smtp_url`, or "log:". templates: a folder; empty: the built-in templates."""

    smtp: Secret = Secret("log:")
    from_: str = "regserver@localhost"
    templates: str = ""


class LedgerAntelope(Section, frozen=True):
    """url: of a node. creator: the account that makes the others, with its permission and private key (WIF or PVT_K1_).

    contract: the account of the system contract. ram_bytes, stake_net, stake_cpu: what it wants bought for a new
    account; 0 and "" where it asks for none.
    """

    url: str = ""
    creator: str = ""
    permission: str = "active"
    private_key: Secret = Secret("")
    contract: str = "eosio"
    ram_bytes: Annotated[int, within(0, 2**32 - 1)] = 0
    stake_net: str = ""
    stake_cpu: str = ""
    expiration: Duration = Duration(2 * MINUTE)
    timeout: Duration = Duration(10 * SECOND)


class LedgerSection(Section, frozen=True):
    """kind: "embedded" is the store alone, "antelope" a chain as well."""

    kind: Literal["embedded", "antelope"] = "embedded"
    antelope: LedgerAntelope = LedgerAntelope()


def sms_faults(sms: SmsSection) -> Iterator[Fault]:
    """What is missing or cannot work in [sms]."""
    if sms.text and "{code}" not in sms.text:
        yield ("sms", "text"), "a text with {code} in it"
    if sms.weights and (min(sms.weights.values()) < 0 or max(sms.weights.values()) == 0):
        yield ("sms", "weights"), "shares of 0 or more, one of them above 0"
    twilio, vonage = sms.twilio, sms.vonage
    needed: tuple[tuple[SmsKind, str, bool], ...] = (
        ("http", "url", sms.http.url.startswith(("http://", "https://"))),
        ("twilio", "account_sid", bool(twilio.account_sid)),
        ("twilio", "auth_token", bool(twilio.auth_token)),
        ("twilio", "from", bool(twilio.from_ or twilio.messaging_service_sid)),
        ("vonage", "api_key", bool(vonage.api_key)),
        ("vonage", "api_secret", bool(vonage.api_secret)),
        ("vonage", "from", bool(vonage.from_)),
    )
    for kind, name, given in needed:
        if kind in sms.used_kinds and not given:
            yield ("sms", kind, name), f"a value, since {kind} sends the messages"


def captcha_faults(captcha: CaptchaSection) -> Iterator[Fault]:
    """What is missing in [captcha]."""
    if captcha.kind != "none" and not (captcha.secret_web or captcha.secret_android or captcha.secret_ios):
        yield ("captcha", "secret_web"), f"a secret of {captcha.kind}, or secret_android, or secret_ios"


def ledger_faults(ledger: LedgerSection) -> Iterator[Fault]:
    """What is missing in [ledger]."""
    if ledger.kind == "antelope":
        for name in ("url", "creator", "private_key"):
            if not getattr(ledger.antelope, name):
                yield ("ledger", "antelope", name), "a value, since accounts are written to a chain"
