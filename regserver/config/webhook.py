"""The settings of webhooks."""

from collections.abc import Iterator
from typing import Annotated, Literal

from regserver.config.section import Fault, Secret, Section, within
from regserver.domain.instant import SECOND, Duration
from regserver.domain.webhook import read_secret, url_fault


class SignUpHookSection(Section, frozen=True):
    """A service that is asked before somebody gets an account. url: "" for none. secret: whsec_… fail: while it does not answer."""

    url: Secret = Secret("")
    secret: Secret = Secret("")
    timeout: Annotated[Duration, within(100, 5 * SECOND)] = Duration(5 * SECOND)
    fail: Literal["closed", "open"] = "closed"


class WebhookSection(Section, frozen=True):
    """Telling the operator's services. allow_private: whether they may be on private addresses, and be asked by http."""

    allow_private: bool = False
    timeout: Annotated[Duration, within(SECOND, 30 * SECOND)] = Duration(10 * SECOND)
    before_sign_up: SignUpHookSection = SignUpHookSection()


def webhook_faults(webhook: WebhookSection) -> Iterator[Fault]:
    """What the ranges cannot say."""
    hook = webhook.before_sign_up
    if not hook.url:
        return
    if fault := url_fault(hook.url, allow_private=webhook.allow_private):
        yield ("webhook", "before_sign_up", "url"), fault.removeprefix("expected ")
    if read_secret(hook.secret) is None:
        yield ("webhook", "before_sign_up", "secret"), '"whsec_" and 24 to 64 bytes in Base64'
