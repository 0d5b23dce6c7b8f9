"""The settings of captcha, SMS, mail and ledger, and what each provider needs once it is chosen."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from regserver.config.section import Fault, Secret, Section, within
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Duration
from regserver.domain.phone import read_phone, unknown_countries

WAITS = (SECOND // 10, 10 * MINUTE)
"""How long a service may take."""
SmsKind = Literal["log", "http", "twilio", "vonage"]


CaptchaDoor = Literal["steps", "rooms", "directory", "recover", "code"]
"""Where a captcha can be demanded."""


class CaptchaSection(Section, frozen=True):
    """The captcha. doors: where it is demanded. work: of a proof of work, see `service.proof_of_work`.

    Of a service: url replaces its usual address; secret_*: one per platform, each with its own site key; hostnames, action,
    min_score: what its answer must say where it says it. hostnames: empty: the host of server.public_url; action: "": any.
    """

    kind: Literal["none", "altcha", "recaptcha", "hcaptcha", "turnstile"] = "none"
    doors: tuple[CaptchaDoor, ...] = ("steps",)
    work: Annotated[int, within(1, 1_000_000)] = 1000
    hostnames: tuple[str, ...] = ()
    action: str = ""
    min_score: Annotated[float, within(0, 1)] = 0.5
    url: str = ""
    timeout: Annotated[Duration, within(*WAITS)] = Duration(5 * SECOND)
    secret_web: Secret = Secret("")
    secret_android: Secret = Secret("")
    secret_ios: Secret = Secret("")


class SmsHttp(Section, frozen=True):
    """An HTTP request as a template: {phone} and {message} are filled into url and body."""

    url: Secret = Secret("")
    method: str = "POST"
    headers: dict[str, Secret] = msgspec.field(default_factory=dict)
    body: Secret = Secret('{"to": "{phone}", "text": "{message}"}')


class SmsTwilio(Section, frozen=True, rename={"from_": "from"}):
    """Twilio. from, messaging_service_sid: the sender, by one of the two."""

    account_sid: str = ""
    auth_token: Secret = Secret("")
    from_: str = ""
    messaging_service_sid: str = ""
    url: str = "https://api.twilio.com"


class SmsVonage(Section, frozen=True, rename={"from_": "from"}):
    """Vonage. from: the sender's number or name."""

    api_key: Secret = Secret("")
    api_secret: Secret = Secret("")
    from_: str = ""
    url: str = "https://rest.nexmo.com"


class SmsSection(Section, frozen=True):
    """Sending SMS. weights: several providers with their shares of the messages; empty: `kind` alone sends them.

    text: the message, with {code} in it; empty: the built-in text in the user's language.
    countries, daily_max, test: see regserver.service.sms_guard.
    """

    kind: SmsKind = "log"
    weights: dict[SmsKind, int] = msgspec.field(default_factory=dict)
    countries: tuple[str, ...] = ()
    daily_max: Annotated[int, within(1, 1_000_000_000)] = 1000
    text: str = ""
    timeout: Annotated[Duration, within(*WAITS)] = Duration(10 * SECOND)
    http: SmsHttp = SmsHttp()
    twilio: SmsTwilio = SmsTwilio()
    vonage: SmsVonage = SmsVonage()
    test: dict[str, Secret] = msgspec.field(default_factory=dict)

    @property
    def used_kinds(self) -> set[SmsKind]:
        """The providers that send messages."""
        return {kind for kind, weight in self.weights.items() if weight} or {self.kind}


class MailSection(Section, frozen=True, rename={"from_": "from"}):
    """Sending mail. smtp: see `smtp_url`, or "log:". templates: a folder; empty: the built-in templates.

    user, password: in place of those in the URL, where many characters must be escaped.
    """

    smtp: Secret = Secret("log:")
    user: str = ""
    password: Secret = Secret("")
    from_: str = "regserver@localhost"
    templates: str = ""


class PushSection(Section, frozen=True):
    """Web Push. contact: a mailto: or https: address for push services. wait: how long a socket may be away first.

    ttl: how long a push service keeps what it cannot deliver. allow_private: see domain.push.is_endpoint.
    """

    enabled: bool = True
    contact: str = ""
    wait: Annotated[Duration, within(0, HOUR)] = Duration(5 * SECOND)
    ttl: Annotated[Duration, within(MINUTE, 28 * DAY)] = Duration(DAY)
    allow_private: bool = False


class LedgerAntelope(Section, frozen=True):
    """An Antelope chain. url: of a node. creator: the account that creates the others, with its permission and private key.

    private_key: WIF or PVT_K1_…. contract: the account of the system contract. ram_bytes, stake_net, stake_cpu: bought
    for each new account; 0 and "" buy nothing. chain_id: the only chain that is signed for, in hex; "": the node's word.
    """

    url: str = ""
    chain_id: str = ""
    creator: str = ""
    permission: str = "active"
    private_key: Secret = Secret("")
    contract: str = "eosio"
    ram_bytes: Annotated[int, within(0, 2**32 - 1)] = 0
    stake_net: str = ""
    stake_cpu: str = ""
    expiration: Annotated[Duration, within(SECOND, HOUR)] = Duration(2 * MINUTE)
    timeout: Annotated[Duration, within(*WAITS)] = Duration(10 * SECOND)


class LedgerSection(Section, frozen=True):
    """The ledger. kind: "embedded" is the store alone, "antelope" also a chain."""

    kind: Literal["embedded", "antelope"] = "embedded"
    antelope: LedgerAntelope = LedgerAntelope()


def sms_faults(sms: SmsSection) -> Iterator[Fault]:
    """The faults of [sms]."""
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
    yield from _sms_guard_faults(sms)


def _sms_guard_faults(sms: SmsSection) -> Iterator[Fault]:
    if not sms.countries and sms.used_kinds != {"log"}:
        yield (
            ("sms", "countries"),
            """the countries that get messages, such as ["UA", "DE"], or ["*"] for all""",
        )
    if unknown := unknown_countries({*sms.countries} - {"*"}):
        yield ("sms", "countries"), f'''two-letter codes such as "UA", or "*", not "{unknown[0]}"'''
    for number, code in sms.test.items():
        if read_phone(number) is None:
            yield ("sms", "test"), f'''phone numbers such as "+15550001111", not "{number}"'''
        if not re.fullmatch(r"[0-9]{4,10}", code):
            yield ("sms", "test", number), "a code of steps.code_digits digits"


def captcha_faults(captcha: CaptchaSection) -> Iterator[Fault]:
    """The faults of [captcha]."""
    if captcha.kind not in {"none", "altcha"} and not (
        captcha.secret_web or captcha.secret_android or captcha.secret_ios
    ):
        yield ("captcha", "secret_web"), f"a secret of {captcha.kind}, or secret_android, or secret_ios"


def ledger_faults(ledger: LedgerSection) -> Iterator[Fault]:
    """The faults of [ledger]."""
    if ledger.kind == "antelope":
        for name in ("url", "creator", "private_key"):
            if not getattr(ledger.antelope, name):
                yield ("ledger", "antelope", name), "a value, since accounts are written to a chain"
        if not re.fullmatch("([0-9a-f]{64})?", ledger.antelope.chain_id):
            yield ("ledger", "antelope", "chain_id"), "64 digits of 0-9a-f, as get_info shows them"


class AuditSection(Section, frozen=True):
    """keep: how long the rows of what was done are kept."""

    keep: Annotated[Duration, within(DAY, 3660 * DAY)] = Duration(90 * DAY)


class FanoutSection(Section, frozen=True):
    """engine: what wakes nodes; "auto" follows the store: "local" with SQLite, "postgres" with PostgreSQL."""

    engine: Literal["auto", "local", "postgres"] = "auto"


class LogSection(Section, frozen=True):
    """format: "auto" is text on a terminal, JSON otherwise. file: appended to; "": standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"
    file: str = ""
