"""Giving an account another verified address, forth by a change and back by its undoing."""

import msgspec

from regserver.domain.account import Account
from regserver.domain.contact import ContactClaim, ContactKey, Pepper, contact_of_email
from regserver.domain.instant import Instant
from regserver.domain.link import AccountLink
from regserver.ports.transaction import Transaction
from regserver.service.add_account import take_contact


class LinkShown(msgspec.Struct, frozen=True):
    """What a link would do: the address becomes that of the account with this name."""

    username: str
    email: str


async def exchange_address(
    transaction: Transaction, account: Account, email: str, pepper: Pepper, now: Instant
) -> bool:
    """Makes the address the account's, and frees the one that it had; False where it is another account's.

    The caller holds Lock.EMAIL for the new address, and Lock.ACCOUNT.
    """
    claim = address_claim(pepper, email)
    owner = await transaction.contacts.owner(claim.key)
    if owner is not None and owner.id != account.id:
        return False
    if (old := account.verified_email) is not None:
        key = address_claim(pepper, old).key
        if key != claim.key and not await _is_of_registration(transaction, account, key):
            await transaction.contacts.release(key, account.id)
    await take_contact(transaction, claim, account.id, now)
    await transaction.accounts.change_email(account.id, email, now)
    return True


def address_claim(pepper: Pepper, email: str) -> ContactClaim:
    """The address with its key, whose person is proved to read its mail."""
    return pepper.claim(contact_of_email(email), is_verified=True)


async def link_shown(transaction: Transaction, link: AccountLink, pepper: Pepper) -> LinkShown | None:
    """What a link does that exchanges addresses; None where it does nothing any more."""
    account = await transaction.accounts.by_id(link.account)
    if account is None or account.deleted_at is not None or link.email is None:
        return None
    owner = await transaction.contacts.owner(address_claim(pepper, link.email).key)
    if owner is not None and owner.id != account.id:
        return None
    return LinkShown(account.username, link.email)


async def _is_of_registration(transaction: Transaction, account: Account, contact: ContactKey) -> bool:
    """Whether the steps know the account's person by this contact: then it stays theirs."""
    if account.ledger_name is None:
        return False
    registration = await transaction.registrations.by_contact(contact)
    return registration is not None and registration.user_id == account.ledger_name
