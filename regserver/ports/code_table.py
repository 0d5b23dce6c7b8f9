"""One-time codes for signing in, by the contact that they were sent to."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.contact import ContactKey
from regserver.domain.instant import Instant
from regserver.domain.sign_in_code import SignInCode


class CodeTable(Protocol):
    """At most one for each contact. A code is read, changed and saved as a whole, by a unit that takes Lock.CONTACT before it
    reads, and the Lock.ACCOUNT of the code's account.
    """

    async def find(self, contact: ContactKey) -> SignInCode | None:
        """The contact's record, also an expired one."""

    async def save(self, code: SignInCode) -> None:
        """Writes the record in place of the contact's former one."""

    async def remove(self, contact: ContactKey) -> None:
        """Removes the contact's record."""

    async def remove_all(self, account: AccountId) -> None:
        """Ends every code of the account. The caller holds Lock.ACCOUNT."""

    async def purge(self, now: Instant) -> int:
        """Removes expired records; returns how many."""
