"""Builds sign-in by a one-time code."""

from contextlib import AsyncExitStack

import msgspec

from regserver.app.base import AppPart, Base
from regserver.service.code_issue import CodePolicy, SignInCodeParts
from regserver.service.code_sign_in import SENDERS, CodeSignIn, CodeSignInParts
from regserver.text import CATALOGUES
from regserver.web.sign_in.code_endpoint import CodeApi


async def open_codes(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes below /login/code."""
    policy = msgspec.convert(base.settings.steps, CodePolicy, from_attributes=True)
    parts = CodeSignInParts(
        store=base.store,
        identity=base.identity,
        guard=base.guard,
        codes=SignInCodeParts(
            clock=base.clock,
            randomness=base.randomness,
            pepper=base.pepper,
            outbox=base.outbox,
            mail_templates=base.mail_templates,
            sms_guard=base.sms.guard,
        ),
        sms=base.sms.sms,
        sms_texts=base.sms.texts(
            base.settings.sms, {language: text.sms.sign_in for language, text in CATALOGUES.items()}
        ),
        captcha=base.captcha.at("code"),
    )
    service = CodeSignIn(parts, msgspec.structs.replace(policy, bounded=base.settings.limits.enabled))
    return AppPart(routes=CodeApi(service).routes(), background=(service.run,) * SENDERS)
