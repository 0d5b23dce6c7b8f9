"""Builds what the address of an account needs: its routes, and the page behind the link in the mail."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.address_service import AddressParts, AddressService
from regserver.web.sign_in.address_endpoint import AddressApi
from regserver.web.site.verify import VerifyApi


async def open_addresses(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens the routes below /login/email, and the page at /verify."""
    addresses = build_addresses(base)
    return AppPart(
        routes=(*AddressApi(addresses, base.web.forwarded).routes(), *VerifyApi(addresses).routes())
    )


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
        )
    )
