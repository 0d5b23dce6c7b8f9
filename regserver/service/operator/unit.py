"""Who acts as an operator, and running what they ask for, as far as their role goes.

The key is looked up in the use case's own transaction, so one that was just revoked has no effect.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from regserver.domain.command_ticket import SignedRequest, TicketSeal
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation, StoredKey
from regserver.domain.operator_outcome import NotPermitted
from regserver.domain.outcome import BadToken
from regserver.domain.secret import SecretHash
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

T = TypeVar("T")
OperatorAct = Callable[[Transaction, Instant], Awaitable[T]]
"""A use case as a unit of work. The instant is the time that the whole change bears."""
Denied = BadToken | NotPermitted


class KeyHolder(msgspec.Struct, frozen=True):
    """Whoever has shown an operator key. key: its hash."""

    key: SecretHash


class CommandCaller(KeyHolder, frozen=True):
    """A command on the server's machine that asks the running server, by a ticket for this one request. key: the ticket's hash."""

    ticket: str
    asked: SignedRequest

    def __repr__(self) -> str:
        return "CommandCaller(…)"


class PageVisitor(msgspec.Struct, frozen=True):
    """Whoever has signed in at the operator's page. entry: the hash of the session."""

    entry: SecretHash


class LocalOperator(msgspec.Struct, frozen=True):
    """Whoever may run commands on this machine, and so may do everything. actor: as the audit has it, such as "command ivo"."""

    actor: str


SIGNAL = LocalOperator("signal")
"""Whoever may send signals to the server."""


def by_command(name: str) -> LocalOperator:
    """Whoever runs a command. name: of the system's user."""
    return LocalOperator(f"command {name}")


OperatorCredential = KeyHolder | PageVisitor | LocalOperator


class OperatorUnit:
    """Runs use cases of operators."""

    def __init__(self, store: Store, clock: Clock, tickets: TicketSeal | None = None) -> None:
        """tickets: of the server's key; None where nobody calls by a ticket."""
        self._store = store
        self._clock = clock
        self._tickets = tickets

    async def read(self, who: OperatorCredential, operation: Operation, act: OperatorAct[T]) -> T | Denied:
        """Runs `act` on a snapshot. Raises StoreFault."""
        return await self._store.read(lambda transaction: self._act(transaction, who, operation, act))

    async def write(self, who: OperatorCredential, operation: Operation, act: OperatorAct[T]) -> T | Denied:
        """Runs `act` and commits; the audit says by whom. Raises StoreFault."""
        return await self._store.write(lambda transaction: self._act(transaction, who, operation, act))

    async def check(self, who: OperatorCredential, operation: Operation) -> Denied | None:
        """Whether they may; for what comes before a unit, or without one. Raises StoreFault."""

        async def nothing(_transaction: Transaction, _now: Instant) -> None:
            return None

        return await self.read(who, operation, nothing)

    async def key_of(self, who: OperatorCredential) -> StoredKey | None:
        """The key behind a credential; None where there is none. Raises StoreFault."""
        now = self._clock.now()
        return await self._store.look_up(lambda transaction: find_key(transaction, who, now))

    async def _act(
        self, transaction: Transaction, who: OperatorCredential, operation: Operation, act: OperatorAct[T]
    ) -> T | Denied:
        now = self._clock.now()
        if isinstance(who, CommandCaller):
            made = self._clock.own_time()  # commands run on this machine, and need no store for a ticket
            name = None if self._tickets is None else self._tickets.name_of(who.ticket, made, who.asked)
            if name is None:
                return BadToken()
            who = by_command(name)
        if isinstance(who, LocalOperator):
            transaction.audit.by(who.actor)
            return await act(transaction, now)
        key = await find_key(transaction, who, now)
        if key is None:
            return BadToken()
        if not key.may(operation):
            return NotPermitted()
        transaction.audit.by(f"key {key.name}")
        return await act(transaction, now)


async def find_key(transaction: Transaction, who: OperatorCredential, now: Instant) -> StoredKey | None:
    """The key behind a credential."""
    match who:
        case KeyHolder(key=secret):
            return await transaction.operators.find(secret)
        case PageVisitor(entry=entry):
            return await transaction.operators.entered(entry, now)
        case LocalOperator():
            return None
