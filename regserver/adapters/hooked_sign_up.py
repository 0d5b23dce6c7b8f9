"""Asking a service of the operator's by HTTP whether somebody may sign up, in the form of a webhook.

2xx → yes        403 → no        anything else, or no answer in time → as `fail` says
"""

import logging
from collections.abc import Callable
from typing import Literal

import msgspec
import trio

from regserver.domain.instant import iso_seconds
from regserver.domain.webhook import HookMessage, WebhookTarget, signed_fields
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.sign_up_hook import SignUpHook, SignUpQuestion
from regserver.ports.webhook_sender import WebhookFault, WebhookSender

log = logging.getLogger("regserver.webhook")

MOST_ASKING = 32
"""Questions at once. Further ones wait, and the time of all begins when they come."""
REFUSED = 403
KIND = "before_sign_up"


class HookedSignUp(SignUpHook):
    """fail: "open" lets people in while the service does not answer. seconds: for a question, its wait included."""

    def __init__(
        self,
        sender: WebhookSender,
        target: WebhookTarget,
        parts: tuple[Clock, Randomness],
        *,
        seconds: float,
        fail: Literal["open", "closed"],
        count: Callable[[str], object] = lambda outcome: None,
    ) -> None:
        self._sender = sender
        self._target = target
        self._clock, self._randomness = parts
        self._seconds = seconds
        self._opens = fail == "open"
        self._count = count
        self._places = trio.CapacityLimiter(MOST_ASKING)

    async def allows(self, question: SignUpQuestion) -> bool:
        """See the port."""
        status, fault = 0, f"no answer in {self._seconds:g} s"
        try:
            with trio.move_on_after(self._seconds):
                async with self._places:
                    status = await self._ask(question)
                    fault = f"answered {status}"
        except WebhookFault as error:
            fault = str(error)
        if 200 <= status < 300 or status == REFUSED:
            self._count("refused" if status == REFUSED else "allowed")
            return status != REFUSED
        self._count("failed")
        said = "let in unasked" if self._opens else "refused"
        log.warning("webhook.before_sign_up: a sign-up was %s: %s", said, fault)
        return self._opens

    async def _ask(self, question: SignUpQuestion) -> int:
        now = self._clock.now()
        message = _message(question, self._randomness.bytes(16).hex(), iso_seconds(now))
        fields = signed_fields(message, self._target.secret, now // 1000)
        return (await self._sender.send(self._target.url, fields, message.body)).status


def _message(question: SignUpQuestion, number: str, at: str) -> HookMessage:
    data: dict[str, str | bool] = {"door": question.door, "invited": question.invited}
    if question.username:
        data["username"] = question.username
    if question.contact is not None:
        data[question.contact.kind] = question.contact.value
    body = {"type": KIND, "timestamp": at, "data": data}
    return HookMessage(f"msg_{number}", msgspec.json.encode(body))
