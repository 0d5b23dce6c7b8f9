"""Verified contacts of all doors: each phone number and address belongs to one account."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.contact import ContactKey, ContactKind
from regserver.domain.instant import Instant


class UnkeyedAddress(msgspec.Struct, frozen=True):
    """An address that was verified before there were keys of addresses."""

    account: AccountId
    email: str
    verified_at: Instant


class ContactTable(Protocol):
    """Contacts are stored as keyed hashes only. Lock.EMAIL guards whose a contact is against wishes for it."""

    async def owner(self, contact: ContactKey) -> Account | None:
        """The account that has the contact."""

    async def claim(self, contact: ContactKey, kind: ContactKind, account: AccountId, now: Instant) -> bool:
        """Makes the contact the account's; False when another has it (atomic)."""

    async def release(self, contact: ContactKey, account: AccountId) -> None:
        """Frees the contact, if it is the account's."""

    async def of_account(self, account: AccountId) -> frozenset[ContactKey]:
        """The account's contacts, by their keys."""

    async def release_all(self, account: AccountId) -> None:
        """Frees every contact of the account."""

    async def unkeyed(self, most: int) -> tuple[UnkeyedAddress, ...]:
        """Addresses that have no key yet."""

    async def keyed(self, accounts: Sequence[AccountId]) -> None:
        """Notes that the addresses of these accounts need no key any more."""
