"""Builds the registration by steps, with its providers."""

import logging
from contextlib import AsyncExitStack
from functools import partial

import msgspec

from regserver.adapters.derived_key import journal_seal
from regserver.adapters.ledger import on_curve
from regserver.adapters.provider_client import ProviderHttp
from regserver.app.assemble_gate import build_gate
from regserver.app.base import AppPart, Base
from regserver.config import Settings
from regserver.config.setting import sign_up_policy
from regserver.service.contact_cap import ContactCap
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
    client = await stack.enter_async_context(ProviderHttp(settings.server.outbound_proxy))
    pepper = base.pepper
    policy = steps_policy(settings)
    ledger = base.outside.ledger(settings.ledger, journal_seal(base.key), client, store)
    head = await store.write(ledger.seal)
    if head.number:
        log.info("the ledger has %d entries; last hash %s", head.number, head.hash.hex())
    built_in: dict[str, str] = {language: catalogue.sms.code for language, catalogue in CATALOGUES.items()}
    parts = StepsParts(
        store=store,
        clock=clock,
        randomness=base.randomness,
        guard=base.guard,
        pepper=pepper,
        outbox=base.outbox,
        mail_templates=base.mail_templates,
        sms_texts=base.sms.texts(settings.sms, built_in),
        sms=base.sms.sms,
        captcha=base.captcha.at("steps"),
        sms_guard=base.sms.guard,
        ledger=ledger,
        identity=base.identity,
        gate=build_gate(base, "steps"),
    )
    lookup = RegistrationLookup(store, clock, pepper, policy)
    methods = StepsMethods(
        StepsService(lookup, parts, policy),
        StepsAccountService(lookup, parts, policy),
        OnboardingService(store, clock),
        on_curve,
        ContactCap(store, clock, pepper, policy.daily_contacts_per_address) if policy.bounded else None,
    )
    routes = steps_routes(methods, partial(base.web.limits.take, "rpc"))
    return AppPart(
        routes=routes if sign_up_policy(settings).serves("steps") else (),
        useful=(("ledger", ledger.check),) if ledger.outer else (),
    )


def steps_policy(settings: Settings) -> StepsPolicy:
    """The bounds of registrations by steps."""
    policy = msgspec.convert(settings.steps, StepsPolicy, from_attributes=True)
    return msgspec.structs.replace(policy, bounded=settings.limits.enabled)
