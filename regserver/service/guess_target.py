"""What is guessed at: an account, by its name or otherwise, or a secret of the operator's. `guess_guard` admits the guesses."""

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from regserver.domain.account import Account, AccountId, NameKey
from regserver.domain.address import client_key
from regserver.ports.transaction import Transaction
from regserver.service.asker import Asker

OperatorKey = Literal["directory.trusted_key", "steps.identity_secure_key", "operator"]


class GuessTarget(msgspec.Struct, frozen=True):
    """What is guessed at. find: its account. otherwise: what is counted when there is no account."""

    find: Callable[[Transaction], Awaitable[Account | None]]
    otherwise: str


def target_name(key: NameKey, find: Callable[[Transaction], Awaitable[Account | None]]) -> GuessTarget:
    """The account that somebody names. key: of the name as it was typed. find: the account of that name, if any."""
    return GuessTarget(find, f"name:{key}")


def target_account(account: AccountId) -> GuessTarget:
    """An account that is already known, by a token or a ticket."""
    return GuessTarget(lambda transaction: transaction.accounts.by_id(account), f"account:{account}")


def target_key(key: OperatorKey, asker: Asker) -> GuessTarget:
    """A secret of the operator's, counted for each network: nobody can keep the platform out that has the right one."""
    return GuessTarget(_nobody, f"key:{key}:{client_key(asker.address)}")


async def _nobody(_: Transaction) -> None:
    return None
