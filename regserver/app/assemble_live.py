"""Builds sign-in and live registration, with the source that the configuration names."""

from contextlib import AsyncExitStack

import msgspec

from regserver.adapters.source import open_source
from regserver.app.app_part import AppPart
from regserver.app.base import Base
from regserver.domain.live_progress import ProgressState
from regserver.service.account_service import AccountService
from regserver.service.live_account import LivePolicy
from regserver.service.live_service import LiveParts, open_live
from regserver.service.sign_in_service import SignInService
from regserver.service.source_check import SourceCheck
from regserver.web.live.endpoint import LiveApi
from regserver.web.sign_in.endpoint import SignInApi


async def open_sign_in(stack: AsyncExitStack, base: Base, accounts: AccountService) -> AppPart:
    """Opens sign-in and live registration. Raises ConfigFault."""
    settings, store, clock = base.settings, base.store, base.clock
    source = await stack.enter_async_context(open_source(base.loaded, base.hasher))
    policy = msgspec.convert(settings.live, LivePolicy, from_attributes=True)

    def count(state: ProgressState) -> None:
        base.metrics.registrations_ended.labels(state).inc()

    live = await stack.enter_async_context(
        open_live(
            LiveParts(
                store=store,
                clock=clock,
                randomness=base.randomness,
                identity=base.identity,
                source=source,
                policy=policy,
                on_end=count,
            )
        )
    )
    base.metrics.registrations.set_function(lambda: live.running)
    check = None if source is None else SourceCheck(source, policy.max_running)
    sign_in = SignInService(store, clock, base.hasher, base.identity, live, check)
    watching = LiveApi(live)
    return AppPart(
        routes=(*SignInApi(sign_in, accounts, base.web.forwarded).routes(), *watching.routes()),
        sockets=watching.sockets(),
        stop=(live.stop,),
    )
