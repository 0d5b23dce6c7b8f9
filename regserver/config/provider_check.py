"""What the types of [sms], [captcha] and [ledger] cannot say: what must be there once it is chosen."""

from collections.abc import Callable, Iterator

from regserver.config.setting import Settings

Keys = tuple[str, ...]
Wrong = Callable[[Keys, str], Exception]
Fault = tuple[Keys, str]


def check_providers(settings: Settings, wrong: Wrong) -> None:
    """Raises what `wrong` makes of the first fault."""
    for keys, expected in (*_sms(settings), *_captcha(settings), *_ledger(settings)):
        raise wrong(keys, expected)


def _sms(settings: Settings) -> Iterator[Fault]:
    sms = settings.sms
    if "{code}" not in sms.text:
        yield ("sms", "text"), "a text with {code} in it"
    if sms.weights and (min(sms.weights.values()) < 0 or max(sms.weights.values()) == 0):
        yield ("sms", "weights"), "shares of 0 or more, one of them above 0"
    chosen = {kind for kind, weight in sms.weights.items() if weight} or {sms.kind}
    twilio, vonage = sms.twilio, sms.vonage
    needed: tuple[tuple[str, str, bool], ...] = (
        ("http", "url", sms.http.url.startswith(("http://", "https://"))),
        ("twilio", "account_sid", bool(twilio.account_sid)),
        ("twilio", "auth_token", bool(twilio.auth_token)),
        ("twilio", "from", bool(twilio.from_ or twilio.messaging_service_sid)),
        ("vonage", "api_key", bool(vonage.api_key)),
        ("vonage", "api_secret", bool(vonage.api_secret)),
        ("vonage", "from", bool(vonage.from_)),
    )
    for kind, name, given in needed:
        if kind in chosen and not given:
            yield ("sms", kind, name), f"a value, since {kind} sends the messages"


def _captcha(settings: Settings) -> Iterator[Fault]:
    captcha = settings.captcha
    if captcha.kind != "none" and not (captcha.secret_web or captcha.secret_android or captcha.secret_ios):
        yield ("captcha", "secret_web"), f"a secret of {captcha.kind}, or secret_android, or secret_ios"


def _ledger(settings: Settings) -> Iterator[Fault]:
    if settings.ledger.kind == "antelope":
        for name in ("url", "creator", "private_key"):
            if not getattr(settings.ledger.antelope, name):
                yield ("ledger", "antelope", name), "a value, since accounts are written to a chain"
