"""Builds the registration by steps, with its providers."""

import logging
from contextlib import AsyncExitStack
from functools import partial

import msgspec

from regserver.adapters.ledger import build_ledger, on_curve
from regserver.adapters.provider_client import open_http_client
from regserver.adapters.server_key import ServerKey
from regserver.adapters.siteverify import build_captcha
from regserver.adapters.sms import build_sms
from regserver.app.base import AppPart, Base
from regserver.config import ConfigFault, Settings
from regserver.domain.contact import Pepper
from regserver.domain.journal import JournalSeal
from regserver.service.onboarding_service import OnboardingService
from regserver.service.registration_lookup import RegistrationLookup
from regserver.service.steps_account_service import StepsAccountService
from regserver.service.steps_policy import StepsParts, StepsPolicy
from regserver.service.steps_service import StepsService
from regserver.text import CATALOGUES
from regserver.web.steps.endpoint import steps_routes
from regserver.web.steps.method import StepsMethods

log = logging.getLogger("regserver.ledger")


async def open_steps(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the registration by steps. Raises ConfigFault."""
    settings, store, clock = base.settings, base.store, base.clock
    client = await stack.enter_async_context(open_http_client())
    pepper = steps_pepper(settings, base.key)
    policy = msgspec.convert(settings.steps, StepsPolicy, from_attributes=True)
    policy = msgspec.structs.replace(policy, bounded=settings.limits.enabled)
    ledger = build_ledger(settings.ledger, journal_seal(base.key), client, store)
    head = await store.write(ledger.seal)
    log.info("the ledger has %d entries; last hash %s", head.number, head.hash.hex())
    own_text, languages = settings.sms.text, CATALOGUES.items()
    parts = StepsParts(
        store=store,
        clock=clock,
        randomness=base.randomness,
        pepper=pepper,
        outbox=base.outbox,
        mail_templates=base.mail_templates,
        sms_texts={language: own_text or catalogue.sms.code for language, catalogue in languages},
        sms=build_sms(settings.sms, client, base.randomness),
        captcha=build_captcha(settings.captcha, client),
        ledger=ledger,
    )
    lookup = RegistrationLookup(store, clock, pepper, require_token=policy.require_token)
    methods = StepsMethods(
        StepsService(lookup, parts, policy),
        StepsAccountService(lookup, parts, policy),
        OnboardingService(store, clock),
        on_curve,
    )
    return AppPart(
        routes=steps_routes(methods, partial(base.web.limits.take, "rpc")),
        useful=(("ledger", ledger.check),) if ledger.outer else (),
    )


def journal_seal(key: ServerKey) -> JournalSeal:
    """The seal of the ledger's journal."""
    return JournalSeal(key.derive("ledger journal"))


def steps_pepper(settings: Settings, key: ServerKey) -> Pepper:
    """The configured pepper, or the server's own. Raises ConfigFault."""
    try:
        return Pepper(settings.steps.pepper.encode() or key.derive("pepper"))
    except ValueError as error:
        raise ConfigFault(f"steps.pepper: {error}") from None
