"""Keys of addresses that were verified before there were keys: what a migration cannot compute, since it lacks the pepper."""

import logging

from regserver.domain.contact import Pepper, contact_of_email
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

log = logging.getLogger("regserver.store")

BATCH = 500
"""Addresses in one transaction."""


async def key_addresses(store: Store, pepper: Pepper) -> None:
    """Gives every verified address its key; the first account of an address keeps it, with others it becomes a wish.

    At each start, before any door opens; it goes on where an earlier start was interrupted. Raises StoreFault.
    """

    async def work(transaction: Transaction) -> int:
        found = await transaction.contacts.unkeyed(BATCH)
        for address in found:
            key = pepper.contact_key(contact_of_email(address.email))
            if not await transaction.contacts.claim(key, "email", address.account, address.verified_at):
                log.warning("account %d: its address is verified by another account", address.account)
                await transaction.accounts.verify_email(address.account, None)
            else:
                await transaction.accounts.verify_email(address.account, address.verified_at)
        await transaction.contacts.keyed([address.account for address in found])
        return len(found)

    if not await store.read(lambda transaction: transaction.contacts.unkeyed(1)):
        return
    while await store.write(work):
        pass
