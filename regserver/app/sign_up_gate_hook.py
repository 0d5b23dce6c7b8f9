"""The operator's service that is asked before somebody gets an account."""

from contextlib import AsyncExitStack

from regserver.adapters.hooked_sign_up import HookedSignUp
from regserver.adapters.late_webhook import LateWebhookClient
from regserver.config import Settings
from regserver.domain.webhook import WebhookTarget, read_secret
from regserver.metric import Metrics
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.sign_up_hook import SignUpHook


async def open_sign_up_hook(
    stack: AsyncExitStack, settings: Settings, parts: tuple[Clock, Randomness], metrics: Metrics
) -> SignUpHook | None:
    """The configured one; None where there is none."""
    section = settings.webhook.before_sign_up
    secret = read_secret(section.secret)
    if not section.url or secret is None:
        return None
    counter = metrics.counter(
        "sign_up_questions",
        "Questions to webhook.before_sign_up, by outcome: allowed, refused, failed.",
        "outcome",
    )
    client = LateWebhookClient(allow_private=settings.webhook.allow_private, timeout=section.timeout)
    return HookedSignUp(
        await stack.enter_async_context(client),
        WebhookTarget(section.url, secret),
        parts,
        seconds=section.timeout.seconds,
        fail=section.fail,
        count=lambda outcome: counter.labels(outcome).inc(),
    )
