"""Limits as operators see and lift them: requests of a client, which a node counts in memory, and wrong secrets of an account,
which are counted in the store.
"""

from itertools import islice

import msgspec

from regserver.domain.account import Account
from regserver.domain.address import client_key, parse_address
from regserver.domain.audit import AuditNote
from regserver.domain.guess import as_of_now, time_left
from regserver.domain.instant import Duration, Instant
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import BadClient
from regserver.domain.outcome import AccountNotFound
from regserver.ports.limit_book import HeldClient, LimitBook
from regserver.ports.transaction import Transaction
from regserver.service.operator.person import find_account, on_account
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit

MOST_HELD = 1000


class GuessesCounted(msgspec.Struct, frozen=True):
    """Wrong secrets in a row, from strangers or from a network that the account knows. wait: of the next one."""

    count: int
    last_at: Instant
    wait: Duration


class LimitDesk:
    """The use cases of limits."""

    def __init__(self, unit: OperatorUnit, book: LimitBook | None = None) -> None:
        """book: of this process; a command has none."""
        self._unit = unit
        self._book = book

    async def held(self, who: OperatorCredential) -> tuple[HeldClient, ...] | Denied:
        """The clients that have reached a rate limit of this node. Raises StoreFault."""
        if refusal := await self._unit.check(who, Operation.READ_SERVER):
            return refusal
        return () if self._book is None else tuple(islice(self._book.held(), MOST_HELD))

    async def lift(self, who: OperatorCredential, client: str) -> int | Denied | BadClient:
        """Lets a client go on at once; in how many limits something of it was counted. Raises StoreFault."""
        if parse_address(client.partition("/")[0]) is None:
            return BadClient()
        key = client_key(client.partition("/")[0])

        async def act(transaction: Transaction, _now: Instant) -> int:
            count = 0 if self._book is None else self._book.lift(key)
            transaction.audit.note(AuditNote(action="limit_lifted", subject="of a client"))
            return count

        return await self._unit.write(who, Operation.CHANGE_LIMITS, act)

    async def guesses(
        self, who: OperatorCredential, name: str
    ) -> tuple[GuessesCounted, ...] | Denied | AccountNotFound:
        """The counters of an account that have not lapsed, the highest first. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> tuple[GuessesCounted, ...] | AccountNotFound:
            account = await find_account(transaction, name)
            if account is None:
                return AccountNotFound()
            found = [as_of_now(each, now) for each in await transaction.guesses.of_account(account.id)]
            return tuple(
                GuessesCounted(each.count, each.last_at, time_left(each, now)) for each in found if each.count
            )

        return await self._unit.read(who, Operation.READ_USERS, act)

    async def forget_guesses(self, who: OperatorCredential, name: str) -> int | Denied | AccountNotFound:
        """Resets all counters of an account, so that its person can sign in at once; how many. Raises StoreFault."""

        async def change(transaction: Transaction, account: Account, _now: Instant) -> int:
            count = len(await transaction.guesses.of_account(account.id))
            await transaction.guesses.forget(account.id)
            note = AuditNote(action="limit_lifted", account=account.id, subject="of wrong secrets")
            transaction.audit.note(note)
            return count

        return await self._unit.write(who, Operation.CHANGE_LIMITS, on_account(name, change))
