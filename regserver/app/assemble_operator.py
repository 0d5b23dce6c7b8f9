"""Builds what the operator has: the audit and its upkeep."""

from contextlib import AsyncExitStack
from functools import partial

from regserver.app.base import AppPart, Base
from regserver.service.expiry import run_audit_trim


async def open_operator(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the upkeep of the audit."""
    return AppPart(background=(partial(run_audit_trim, base.store, base.clock, base.settings.audit.keep),))
