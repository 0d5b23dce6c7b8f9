"""Builds what the address of an account needs: its routes, and the pages behind the links in mails."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.address_change import AddressChange, AddressChangeParts
from regserver.service.address_service import AddressParts, AddressService
from regserver.service.reauthentication import Reauthentication
from regserver.web.sign_in.address_endpoint import AddressApi
from regserver.web.site.address_page import AddressPage


async def open_addresses(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes below /login/email, and the pages at /verify and /undo."""
    change, forwarded = build_address_change(base), base.web.forwarded
    addresses = build_addresses(base)
    pages = (
        AddressPage("verify", addresses.look, addresses.verify, forwarded, base.brand),
        AddressPage("undo", change.look, change.undo, forwarded, base.brand),
    )
    routes = AddressApi(addresses, change, forwarded).routes()
    return AppPart(routes=(*routes, *(route for page in pages for route in page.routes())))


def build_addresses(base: Base) -> AddressService:
    """The use cases of addresses; they keep nothing in memory."""
    return AddressService(
        AddressParts(
            store=base.store,
            clock=base.clock,
            randomness=base.randomness,
            identity=base.identity,
            outbox=base.outbox,
            mail_templates=base.mail_templates,
            pepper=base.pepper,
            change=build_address_change(base),
            broker=base.broker,
        )
    )


def build_address_change(base: Base) -> AddressChange:
    """Those of another address."""
    return AddressChange(
        AddressChangeParts(
            store=base.store,
            clock=base.clock,
            randomness=base.randomness,
            identity=base.identity,
            again=Reauthentication(base.identity, base.guard, base.hasher),
            outbox=base.outbox,
            mail_templates=base.mail_templates,
            pepper=base.pepper,
            broker=base.broker,
        )
    )
