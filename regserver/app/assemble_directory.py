"""Builds the directory, and the delivery of every door's mail."""

from contextlib import AsyncExitStack
from functools import partial

import msgspec

from regserver.app.assemble_gate import build_gate
from regserver.app.base import AppPart, Base
from regserver.app.part_reload import Prepared
from regserver.app.switch import SwitchedMailer
from regserver.config import Loaded
from regserver.config.setting import sign_up_policy
from regserver.metric import MailCounters
from regserver.service.directory_policy import DirectoryParts, DirectoryPolicy
from regserver.service.directory_service import DirectoryService
from regserver.service.mail_delivery import MailDelivery, run_outbox
from regserver.web.directory.endpoint import DirectoryApi
from regserver.web.site.confirm import ConfirmApi


async def open_directory(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the directory, and the delivery of every door's mail. Raises StoreFault."""
    settings, store, clock = base.settings, base.store, base.clock
    mailer = SwitchedMailer(base.outside.mailer(base.loaded))
    delivery = MailDelivery(store, base.outbox, mailer, clock, MailCounters(base.web.metrics), node=base.node)
    policy = msgspec.convert(settings.directory, DirectoryPolicy, from_attributes=True)
    sign_up = sign_up_policy(settings)
    parts = DirectoryParts(
        store=store,
        clock=clock,
        randomness=base.randomness,
        hasher=base.hasher,
        outbox=base.outbox,
        mail_templates=base.mail_templates,
        pepper=base.pepper,
        captcha=base.captcha.at("directory"),
        gate=build_gate(base, "directory"),
    )
    directory = DirectoryService(parts, policy)
    await directory.recount()
    key, take_mail = settings.directory.trusted_key, partial(base.web.limits.take, "mail")
    api = DirectoryApi(directory, base.web.forwarded, trusted_key=key, take_mail=take_mail, guard=base.guard)

    async def prepare(loaded: Loaded) -> Prepared:
        section = loaded.settings.directory
        return Prepared(partial(directory.take, section.servers, section.reserved), directory.recount)

    async def prepare_mail(loaded: Loaded) -> Prepared:
        return Prepared(partial(mailer.take, base.outside.mailer(loaded)))

    return AppPart(
        routes=(*api.routes(), *ConfirmApi(directory, base.brand).routes())
        if sign_up.serves("directory")
        else (),
        useful=(("mail", delivery.check),),
        background=(partial(run_outbox, delivery, base.outside.mail_sleep),),
        reload=(prepare, prepare_mail),
    )
