"""Builds what recovers an account: its routes, and the page behind the link in the mail."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.account_recovery import AccountRecovery, AccountRecoveryParts
from regserver.web.sign_in.recovery_endpoint import RecoveryApi
from regserver.web.site.recover import RecoverPage


async def open_recovery(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes below /login/recover, and the page at /recover."""
    recovery = AccountRecovery(
        AccountRecoveryParts(
            store=base.store,
            clock=base.clock,
            randomness=base.randomness,
            hasher=base.hasher,
            identity=base.identity,
            guard=base.guard,
            outbox=base.outbox,
            mail_templates=base.mail_templates,
            pepper=base.pepper,
            broker=base.broker,
            captcha=base.captcha.at("recover"),
        )
    )
    routes = (
        *RecoveryApi(recovery, base.web.forwarded).routes(),
        *RecoverPage(recovery, base.brand).routes(),
    )
    return AppPart(routes=routes, background=(recovery.run,))
