"""Builds the gates of the doors, and the page on which the operator approves accounts that wait."""

from contextlib import AsyncExitStack
from functools import partial

from regserver.app.base import AppPart, Base
from regserver.app.part_reload import Prepared
from regserver.config import Loaded, Settings
from regserver.config.setting import sign_up_policy
from regserver.domain.sign_up_policy import Door
from regserver.service.approval import ApprovalDesk, ApprovalParts, ApprovalPolicy
from regserver.service.sign_up_gate import GateParts, SignUpGate
from regserver.web.site.approve import ApprovePage


async def open_gates(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the page at /approve: a door may make accounts that wait, now or after a reload."""
    desk = _build_desk(base, base.settings)

    async def prepare(loaded: Loaded) -> Prepared:
        others = {door: _gate(base, loaded.settings, door) for door in base.gates}

        def apply() -> None:
            for door, gates in base.gates.items():
                for gate in gates:
                    gate.become(others[door])

        return Prepared(apply)

    return AppPart(routes=ApprovePage(desk, base.brand).routes(), reload=(prepare,))


def build_gate(base: Base, door: Door) -> SignUpGate:
    """The gate of one door, which a reload changes."""
    gate = _gate(base, base.settings, door)
    base.gates.setdefault(door, []).append(gate)
    return gate


def _gate(base: Base, settings: Settings, door: Door) -> SignUpGate:
    signup = settings.signup
    bounded = settings.limits.enabled
    parts = GateParts(
        store=base.store,
        clock=base.clock,
        pepper=base.pepper,
        desk=_build_desk(base, settings),
        take=partial(base.web.limits.take, "invitation"),
        daily_waiting=signup.daily_waiting,
        daily_waiting_per_address=signup.daily_waiting_per_address if bounded else None,
        hook=None if base.sign_up_hook is None else (base.sign_up_hook, door),
    )
    return SignUpGate(sign_up_policy(settings).at(door), parts)


def _build_desk(base: Base, settings: Settings) -> ApprovalDesk:
    """It keeps nothing in memory. The page's own asks nobody, so it needs no other settings."""
    signup = settings.signup
    parts = ApprovalParts(
        base.store, base.clock, base.randomness, base.outbox, base.mail_templates, base.pepper
    )
    policy = ApprovalPolicy(
        operator=signup.operator,
        language=signup.operator_language,
        # Never of a request: its sender could lead the operator elsewhere.
        link_base=settings.server.public_url.rstrip("/"),
        ttl=signup.waiting_ttl,
    )
    return ApprovalDesk(parts, policy)
