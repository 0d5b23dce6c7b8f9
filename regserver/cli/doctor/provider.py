"""What others do for the server: mail, SMS, captcha. Each is asked with the configured secrets, and nothing is sent to anybody."""

from collections.abc import Iterator

import trio

from regserver.adapters.mail_probe import probe_sign_in
from regserver.adapters.provider_client import (
    NoAnswer,
    ProviderAnswer,
    ProviderClient,
    ProviderHttp,
    ProviderRequest,
)
from regserver.adapters.siteverify import PRESETS, SiteVerifyReply
from regserver.adapters.sms.balance import BALANCES, Balance
from regserver.config import Loaded
from regserver.config.check import trial_settings
from regserver.config.smtp_url import mail_server
from regserver.domain.finding import Finding
from regserver.domain.instant import SECOND, Duration

TIMEOUT = Duration(10 * SECOND)
LOW_BALANCE = 5.0
"""In the provider's currency."""
BAD_SECRET = ("missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch")


def check_providers(loaded: Loaded) -> Iterator[Finding]:
    """Settings that are for trying out, or leave something open."""
    settings = loaded.settings
    yield from (Finding("hint", text) for text in trial_settings(settings))
    if not settings.steps.require_token and settings.ledger.kind == "embedded":
        yield Finding(
            "hint",
            "steps.require_token is false: others in a person's network can finish that person's registration",
        )
    if not settings.limits.enabled:
        yield Finding("hint", "limits.enabled is false: one client may send any number of requests")


def check_mail(loaded: Loaded) -> Iterator[Finding]:
    """Signs in to the mail server, and asks whether it takes the sender. No mail is sent."""
    settings = loaded.settings.mail
    if settings.smtp == "log:":
        return
    address = mail_server(loaded)
    found = list(probe_sign_in(address, settings.from_))
    yield from (finding for finding in found if finding.level != "ok")
    if not any(finding.level == "fail" for finding in found):
        where = f"{address.host}:{address.port}"
        yield Finding(
            "ok", f"{where} takes mail from {settings.from_}; try it with: regserver mail test ADDRESS"
        )


def check_sms(loaded: Loaded) -> Iterator[Finding]:
    """The balance, where the provider tells it."""
    for kind in sorted(loaded.settings.sms.used_kinds & BALANCES.keys()):
        request, read = BALANCES[kind](loaded.settings.sms)
        answer = _ask(loaded, request)
        if isinstance(answer, str):
            yield Finding("fail", f"{kind} {answer}")
        elif answer.status in {401, 403}:
            yield Finding("fail", f"{kind} refuses the credentials of [sms.{kind}] (status {answer.status})")
        elif (balance := read(answer)) is None:
            yield Finding("hint", f"{kind} does not tell its balance (status {answer.status})")
        else:
            yield _judge(kind, balance)


def _judge(kind: str, balance: Balance) -> Finding:
    text = f"the balance at {kind} is {balance.amount:.2f} {balance.currency}".rstrip()
    if balance.amount <= 0:
        return Finding("fail", f"{text}: no code can be sent")
    return Finding("hint" if balance.amount < LOW_BALANCE else "ok", text)


def check_captcha(loaded: Loaded) -> Iterator[Finding]:
    """Asks the service about an answer that nobody gave: it refuses it, and says whether the secret is known."""
    settings = loaded.settings.captcha
    if settings.kind not in PRESETS:
        return
    url = settings.url or PRESETS[settings.kind]
    for name in ("secret_web", "secret_android", "secret_ios"):
        if secret := getattr(settings, name):
            form = {"secret": secret, "response": "regserver doctor"}
            answer = _ask(loaded, ProviderRequest("POST", url, form=form))
            yield _judge_captcha(settings.kind, name, answer)


def _judge_captcha(kind: str, name: str, answer: ProviderAnswer | str) -> Finding:
    if isinstance(answer, str):
        return Finding("fail", f"{kind} {answer}")
    reply = answer.read(SiteVerifyReply) if answer.status == 200 else None
    if reply is None:
        return Finding(
            "fail",
            f"{kind} does not answer as a captcha service (status {answer.status}): is captcha.url right?",
        )
    if any(code in BAD_SECRET for code in reply.error_codes):
        return Finding("fail", f"{kind} does not know captcha.{name}")
    if reply.success:
        return Finding("fail", f"{kind} accepts an answer that nobody gave: is captcha.{name} one for tests?")
    return Finding("ok", f"{kind} answers and knows captcha.{name}")


def _ask(loaded: Loaded, request: ProviderRequest) -> ProviderAnswer | str:
    """The answer, or why there is none, as the end of a sentence."""

    async def ask() -> ProviderAnswer | str:
        async with ProviderHttp(loaded.settings.server.outbound_proxy) as http:
            try:
                return await ProviderClient(http, TIMEOUT).ask(request)
            except NoAnswer as fault:
                return str(fault)

    return trio.run(ask)
