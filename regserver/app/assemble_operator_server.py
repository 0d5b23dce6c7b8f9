"""Builds the operator's routes of registrations by steps, webhooks, mail, limits and the server itself."""

from contextlib import AsyncExitStack
from functools import partial
from itertools import chain

from regserver import __version__
from regserver.adapters.mail_probe import probe_smtp
from regserver.app.assemble_steps import steps_policy
from regserver.app.assemble_webhook import webhook_client, webhook_seal
from regserver.app.base import AppPart, Base, ticket_seal
from regserver.app.part_reload import Prepared
from regserver.config import Loaded
from regserver.config.smtp_url import mail_server
from regserver.service.operator.limit import LimitDesk
from regserver.service.operator.mail import MailDesk, MailProbe
from regserver.service.operator.server import RunningJob, ServerDesk
from regserver.service.operator.steps import StepsDesk
from regserver.service.operator.unit import OperatorUnit
from regserver.service.operator.webhook import WebhookDesk, WebhookParts
from regserver.service.registration_lookup import RegistrationLookup
from regserver.web.admin.server_endpoint import ServerAdminApi, ServerParts
from regserver.web.admin.steps_endpoint import StepsAdminApi
from regserver.web.admin.webhook_endpoint import WebhookAdminApi
from regserver.web.http.route import Route


async def open_operator_server(
    stack: AsyncExitStack, base: Base, unit: OperatorUnit, mail: MailDesk
) -> AppPart:
    """Opens these routes."""
    running = _open_server(base, unit, mail)
    steps = StepsAdminApi(build_steps_desk(base, unit)).routes()
    return AppPart(
        routes=(*steps, *await _webhook_routes(stack, base, unit), *running.routes),
        reload=running.reload,
        reloads=running.reloads,
    )


def operator_unit(base: Base) -> OperatorUnit:
    """Runs the use cases of operators, of commands that ask this server too."""
    return OperatorUnit(base.store, base.clock, ticket_seal(base.key))


def build_steps_desk(base: Base, unit: OperatorUnit) -> StepsDesk:
    """Registrations by steps."""
    policy = steps_policy(base.settings)
    return StepsDesk(
        unit, RegistrationLookup(base.store, base.clock, base.pepper, policy), base.pepper, policy
    )


async def _webhook_routes(stack: AsyncExitStack, base: Base, unit: OperatorUnit) -> tuple[Route, ...]:
    desk = WebhookDesk(
        WebhookParts(
            unit=unit,
            clock=base.clock,
            randomness=base.randomness,
            seal=webhook_seal(base.key, base.randomness),
            allow_private=base.settings.webhook.allow_private,
        )
    )
    sender = await stack.enter_async_context(webhook_client(base.settings))
    return WebhookAdminApi(desk, sender, base.clock).routes()


def _open_server(base: Base, unit: OperatorUnit, mail: MailDesk) -> AppPart:
    """Health, mail, limits and settings."""
    loaded = base.loaded

    def jobs() -> tuple[RunningJob, ...]:
        return tuple(chain.from_iterable(find() for find in base.jobs))

    async def prepare(new: Loaded) -> Prepared:
        def apply() -> None:
            nonlocal loaded
            loaded = new

        return Prepared(apply)

    def probe() -> MailProbe | None:
        if loaded.settings.mail.smtp == "log:":
            return None
        return partial(probe_smtp, mail_server(loaded), loaded.settings.mail.from_)

    server = ServerDesk(unit, base.health, jobs)
    parts = ServerParts(
        server=server,
        mail=mail,
        limits=LimitDesk(unit, base.web.limits),
        version=__version__,
        rates=lambda: base.web.limits.rates,
        probe=probe,
    )
    return AppPart(routes=ServerAdminApi(parts).routes(), reload=(prepare,), reloads=(server.take_reload,))
