"""Builds second factors: authenticator apps with recovery codes."""

from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from regserver.adapters.authenticator_app import PyotpMethod
from regserver.app.base import AppPart, Base
from regserver.domain.factor import RecoveryHasher
from regserver.service.factor_change import FactorChange
from regserver.service.factor_seal import FactorSeal
from regserver.service.factor_service import FactorParts, FactorService
from regserver.web.sign_in.factor_endpoint import FactorApi


async def open_factors(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes of second factors."""
    change = FactorChange(base.broker, base.outbox, base.mail_templates)
    parts = FactorParts(
        store=base.store,
        clock=base.clock,
        randomness=base.randomness,
        identity=base.identity,
        guard=base.guard,
        hasher=base.hasher,
        method=PyotpMethod(urlsplit(base.settings.server.public_url).hostname or "regserver"),
        seal=FactorSeal(base.key.derive("totp"), base.randomness),
        recovery=RecoveryHasher(base.key.derive("recovery code")),
        change=change,
        grace=base.settings.login.deletion_grace,
    )
    return AppPart(routes=FactorApi(FactorService(parts)).routes())
