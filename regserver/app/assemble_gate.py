"""Builds the gates of the doors, and the page on which the operator approves accounts that wait."""

from contextlib import AsyncExitStack
from functools import partial

from regserver.app.base import AppPart, Base
from regserver.config.setting import sign_up_policy
from regserver.domain.sign_up_policy import Door
from regserver.service.approval import ApprovalDesk, ApprovalParts, ApprovalPolicy
from regserver.service.sign_up_gate import GateParts, SignUpGate
from regserver.web.site.approve import ApprovePage


async def open_gates(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the page at /approve, where a door may make accounts that wait."""
    asks = "approve" in sign_up_policy(base.settings).modes.values()
    return AppPart(routes=ApprovePage(_build_desk(base)).routes() if asks else ())


def build_gate(base: Base, door: Door) -> SignUpGate:
    """The gate of one door."""
    signup = base.settings.signup
    bounded = base.settings.limits.enabled
    parts = GateParts(
        store=base.store,
        clock=base.clock,
        pepper=base.pepper,
        desk=_build_desk(base),
        take=partial(base.web.limits.take, "invitation"),
        daily_waiting=signup.daily_waiting,
        daily_waiting_per_address=signup.daily_waiting_per_address if bounded else None,
        hook=None if base.sign_up_hook is None else (base.sign_up_hook, door),
    )
    return SignUpGate(sign_up_policy(base.settings).at(door), parts)


def _build_desk(base: Base) -> ApprovalDesk:
    """It keeps nothing in memory."""
    signup = base.settings.signup
    parts = ApprovalParts(
        base.store, base.clock, base.randomness, base.outbox, base.mail_templates, base.pepper
    )
    policy = ApprovalPolicy(
        operator=signup.operator,
        language=signup.operator_language,
        # Never of a request: its sender could lead the operator elsewhere.
        link_base=base.settings.server.public_url.rstrip("/"),
        ttl=signup.waiting_ttl,
    )
    return ApprovalDesk(parts, policy)
