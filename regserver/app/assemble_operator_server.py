"""Builds the operator's routes of registrations by steps, webhooks, mail, limits and the server itself."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import chain

import msgspec

from regserver import __version__
from regserver.adapters.derived_key import ticket_seal
from regserver.app.assemble_steps import steps_policy
from regserver.app.assemble_webhook import webhook_client, webhook_seal
from regserver.app.base import AppPart, Base
from regserver.app.part_reload import Prepare, Prepared
from regserver.config import Loaded
from regserver.config.smtp_url import SmtpAddress, mail_server
from regserver.domain.finding import Finding
from regserver.ports.mailer import Mail
from regserver.ports.webhook_sender import WebhookSender
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


class ServedDesks(msgspec.Struct, frozen=True):
    """The use cases of a running server. sender: tries webhooks."""

    steps: StepsDesk
    webhooks: WebhookDesk
    sender: WebhookSender
    server: ServerParts


async def open_operator_server(
    stack: AsyncExitStack, base: Base, unit: OperatorUnit, mail: MailDesk
) -> tuple[AppPart, ServedDesks]:
    """Opens these routes, and their use cases for the operator's page."""
    parts, prepare = _server_parts(base, unit, mail)
    sender = await stack.enter_async_context(webhook_client(base.settings))
    desks = ServedDesks(build_steps_desk(base, unit), _webhook_desk(base, unit), sender, parts)
    routes = (
        *StepsAdminApi(desks.steps).routes(),
        *WebhookAdminApi(desks.webhooks, sender).routes(),
        *ServerAdminApi(parts).routes(),
    )
    return AppPart(routes=routes, reload=(prepare,), reloads=(parts.server.take_reload,)), desks


def operator_unit(base: Base) -> OperatorUnit:
    """Runs the use cases of operators, of commands that ask this server too."""
    return OperatorUnit(base.store, base.clock, ticket_seal(base.key))


def build_steps_desk(base: Base, unit: OperatorUnit) -> StepsDesk:
    """Registrations by steps."""
    policy = steps_policy(base.settings)
    return StepsDesk(
        unit, RegistrationLookup(base.store, base.clock, base.pepper, policy), base.pepper, policy
    )


def _webhook_desk(base: Base, unit: OperatorUnit) -> WebhookDesk:
    return WebhookDesk(
        WebhookParts(
            unit=unit,
            clock=base.clock,
            randomness=base.randomness,
            seal=webhook_seal(base.key, base.randomness),
            allow_private=base.settings.webhook.allow_private,
        )
    )


def _server_parts(base: Base, unit: OperatorUnit, mail: MailDesk) -> tuple[ServerParts, Prepare]:
    """Health, mail, limits and settings; and what takes the settings of a reload for them."""
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
        return partial(_probe_smtp, mail_server(loaded), loaded.settings.mail.from_)

    server = ServerDesk(unit, base.health, jobs)
    parts = ServerParts(
        server=server,
        mail=mail,
        limits=LimitDesk(unit, base.web.limits),
        version=__version__,
        rates=lambda: base.web.limits.rates,
        probe=probe,
    )
    return parts, prepare


def _probe_smtp(address: SmtpAddress, sender: str, mail: Mail) -> Iterator[Finding]:
    """In a thread, as MailProbe."""
    from regserver.adapters.mail_probe import probe_smtp  # with dnspython: 2 MiB, 50 ms

    return probe_smtp(address, sender, mail)
