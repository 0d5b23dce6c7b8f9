"""Builds what changes an account's password."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.password_change import PasswordChange, PasswordChangeParts
from regserver.service.reauthentication import Reauthentication
from regserver.web.sign_in.password_endpoint import PasswordApi


async def open_changes(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens /login/password."""
    passwords = PasswordChange(
        PasswordChangeParts(
            identity=base.identity,
            again=Reauthentication(base.identity, base.guard, base.hasher),
            hasher=base.hasher,
            outbox=base.outbox,
            mail_templates=base.mail_templates,
            broker=base.broker,
        )
    )
    return AppPart(routes=PasswordApi(passwords).routes())
