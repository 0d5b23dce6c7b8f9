"""Builds second factors: authenticator apps with recovery codes, and passkeys."""

from contextlib import AsyncExitStack
from functools import cache, partial
from urllib.parse import urlsplit

from regserver.adapters.authenticator_app import PyotpMethod
from regserver.app.base import AppPart, Base
from regserver.domain.factor import RecoveryHasher
from regserver.domain.passkey import ChallengeSeal
from regserver.ports.passkey_verifier import PasskeyVerifier
from regserver.service.factor_change import FactorChange
from regserver.service.factor_seal import FactorSeal
from regserver.service.factor_service import FactorParts, FactorService
from regserver.service.passkey_service import PasskeyParts, PasskeyService
from regserver.service.reauthentication import Reauthentication
from regserver.web.sign_in.factor_endpoint import FactorApi
from regserver.web.sign_in.passkey_endpoint import PasskeyApi


async def open_factors(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes of second factors and passkeys."""
    name = urlsplit(base.settings.server.public_url).hostname or "regserver"
    change = FactorChange(base.broker, base.outbox, base.mail_templates)
    parts = FactorParts(
        store=base.store,
        clock=base.clock,
        randomness=base.randomness,
        identity=base.identity,
        guard=base.guard,
        hasher=base.hasher,
        method=PyotpMethod(name),
        seal=FactorSeal(base.key.derive("totp"), base.randomness),
        recovery=RecoveryHasher(base.key.derive("recovery code")),
        change=change,
        grace=base.settings.login.deletion_grace,
    )
    passkeys = PasskeyService(
        PasskeyParts(
            store=base.store,
            clock=base.clock,
            randomness=base.randomness,
            identity=base.identity,
            guard=base.guard,
            again=Reauthentication(base.identity, base.guard, base.hasher),
            verifier=cache(partial(_passkey_verifier, name)),
            seal=ChallengeSeal(base.key.derive("passkey")),
            change=change,
        )
    )
    factors = FactorApi(FactorService(parts))
    return AppPart(routes=(*factors.routes(), *PasskeyApi(passkeys, base.web.forwarded).routes()))


def _passkey_verifier(name: str) -> PasskeyVerifier:
    from regserver.adapters.webauthn import Fido2Verifier  # with fido2: 3 MiB, 30 ms

    return Fido2Verifier(name)
