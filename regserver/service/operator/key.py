"""Operator keys: made, listed, revoked."""

from typing import get_args

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.instant import Instant
from regserver.domain.operator_key import MOST_KEYS, Operation, Role, StoredKey, is_key_name
from regserver.domain.operator_outcome import BadKeyName, BadRole, KeyNameTaken, KeyNotFound, TooManyKeys
from regserver.domain.secret import TOKEN_BYTES, hash_secret, new_token
from regserver.ports.randomness import Randomness
from regserver.ports.transaction import Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit


class KeyMade(msgspec.Struct, frozen=True):
    """A new key. secret: it is shown this once."""

    name: str
    role: Role
    secret: str


class KeyDesk:
    """The use cases of operator keys."""

    def __init__(self, unit: OperatorUnit, randomness: Randomness) -> None:
        self._unit = unit
        self._randomness = randomness

    async def create(
        self, who: OperatorCredential, name: str, role: str
    ) -> KeyMade | Denied | BadKeyName | BadRole | KeyNameTaken | TooManyKeys:
        """A key of a role, under a name that no other has. Raises StoreFault."""
        if not is_key_name(name):
            return BadKeyName()
        known: Role | None = next((each for each in get_args(Role) if each == role), None)
        if known is None:
            return BadRole()
        secret = new_token("regs_op_", self._randomness.bytes(TOKEN_BYTES))

        async def act(transaction: Transaction, now: Instant) -> KeyMade | KeyNameTaken | TooManyKeys:
            return await make_key(transaction, KeyMade(name, known, secret), now)

        return await self._unit.write(who, Operation.CHANGE_KEYS, act)

    async def list(self, who: OperatorCredential) -> tuple[StoredKey, ...] | Denied:
        """All keys, by name. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[StoredKey, ...]:
            return await transaction.operators.list(MOST_KEYS)

        return await self._unit.read(who, Operation.READ_KEYS, act)

    async def revoke(self, who: OperatorCredential, name: str) -> Denied | KeyNotFound | None:
        """Ends a key and its sessions at the page, at once. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> KeyNotFound | None:
            if not await transaction.operators.revoke(name):
                return KeyNotFound()
            transaction.audit.note(AuditNote(action="key_revoked", subject=f"key {name}"))
            return None

        return await self._unit.write(who, Operation.CHANGE_KEYS, act)


async def make_key(
    transaction: Transaction, made: KeyMade, now: Instant
) -> KeyMade | KeyNameTaken | TooManyKeys:
    """Writes a key with its row in the audit."""
    if len(await transaction.operators.list(MOST_KEYS)) >= MOST_KEYS:
        return TooManyKeys()
    if await transaction.operators.add(hash_secret(made.secret), made.name, made.role, now) is None:
        return KeyNameTaken()
    transaction.audit.note(AuditNote(action="key_made", subject=f"key {made.name}, {made.role}"))
    return made
