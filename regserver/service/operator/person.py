"""Finding an account as an operator names it, and what all changes of one have in common."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from regserver.domain.account import Account, AccountId, email_key, is_sign_in_name, name_key
from regserver.domain.audit import AuditNote
from regserver.domain.instant import Instant
from regserver.domain.outcome import AccountNotFound, BadToken, NotApproved, Refusal
from regserver.domain.room import parse_id
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import EndedSessions

T = TypeVar("T")
AccountChange = Callable[[Transaction, Account, Instant], Awaitable[T]]


async def find_account(transaction: Transaction, name: str) -> Account | None:
    """By user name, address, userId of the steps or number, in this order."""
    if not is_sign_in_name(name):
        return None
    accounts, number = transaction.accounts, parse_id(name)
    return (
        await accounts.by_name(name_key(name))
        or await accounts.by_email(email_key(name))
        or await accounts.by_ledger_name(name)
        or (None if number is None else await accounts.by_id(AccountId(number)))
    )


def on_account(
    name: str, change: AccountChange[T]
) -> Callable[[Transaction, Instant], Awaitable[T | AccountNotFound]]:
    """A unit that changes one account, under its lock."""

    async def act(transaction: Transaction, now: Instant) -> T | AccountNotFound:
        found = await find_account(transaction, name)
        if found is None:
            return AccountNotFound()
        await transaction.lock(Lock.ACCOUNT, found.id)
        account = await transaction.accounts.by_id(found.id)
        return AccountNotFound() if account is None else await change(transaction, account, now)

    return act


class Sockets(msgspec.Struct, frozen=True):
    """What this process tells its sockets of a change. broker: None in a command, where the running server notices by itself."""

    broker: Broker | None = None

    async def end_account(self, account: AccountId) -> None:
        """It was deleted."""
        if self.broker is not None:
            await self.broker.end_account(account)

    def suspend_nowait(self, account: AccountId) -> None:
        """Nobody may use it."""
        if self.broker is not None:
            tokens = set(self.broker.tokens_of(account))
            self.broker.end_tokens_nowait(account, tokens, NotApproved(waits_for="resumption"))

    def end_nowait(self, ended: EndedSessions) -> None:
        """Some of its sessions are over."""
        self._end_nowait(ended.account, ended.tokens, BadToken())

    def _end_nowait(self, account: AccountId, tokens: frozenset[SecretHash], reason: Refusal) -> None:
        if self.broker is not None and tokens:
            self.broker.end_tokens_nowait(account, tokens, reason)


def noted(transaction: Transaction, account: AccountId, note: AuditNote) -> None:
    """Writes what was done with an account."""
    transaction.audit.note(msgspec.structs.replace(note, account=account))
