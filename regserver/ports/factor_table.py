"""Authenticator apps of accounts, their recovery codes, and tickets that ask for a code."""

from collections.abc import Sequence
from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.factor import FactorTicket, RecoveryHash, Totp
from regserver.domain.instant import Instant
from regserver.domain.secret import SecretHash


class FactorTable(Protocol):
    """Codes and tickets are used in the transaction that signs in, so that each works once."""

    async def totp(self, account: AccountId) -> Totp | None:
        """The account's authenticator app; None when it has none."""

    async def begin_totp(self, account: AccountId, sealed: bytes) -> bool:
        """Writes a secret that waits for its first code, in place of one that does; False when one is on (atomic)."""

    async def enable_totp(self, account: AccountId, sealed: bytes, step: int, now: Instant) -> bool:
        """Switches this secret on, with the step of its first code; False when it waits no more (atomic)."""

    async def use_step(self, account: AccountId, step: int) -> bool:
        """Takes the code of a time step; False when that of this or a later one was taken, or the app is not on (atomic)."""

    async def remove_totp(self, account: AccountId) -> bool:
        """Removes app, recovery codes and tickets; False when there is no app."""

    async def replace_codes(self, account: AccountId, codes: Sequence[RecoveryHash]) -> None:
        """These are the account's recovery codes from now on."""

    async def use_code(self, account: AccountId, code: RecoveryHash) -> bool:
        """Takes a recovery code; False when there is no such (atomic)."""

    async def codes_left(self, account: AccountId) -> int:
        """How many recovery codes are unused."""

    async def add_ticket(self, secret: SecretHash, ticket: FactorTicket, most: int) -> None:
        """Writes a ticket; of the account's, the `most` newest stay."""

    async def ticket(self, secret: SecretHash, now: Instant) -> FactorTicket | None:
        """The ticket, which stays good; None when it is unknown, used or expired."""

    async def take_ticket(self, secret: SecretHash) -> bool:
        """Removes the ticket; False when it was gone (atomic)."""

    async def end_tickets(self, account: AccountId) -> None:
        """Ends every ticket of the account."""

    async def purge(self, now: Instant) -> int:
        """Removes expired tickets; returns how many."""
