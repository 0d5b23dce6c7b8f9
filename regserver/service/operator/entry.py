"""Entering the operator's page, by a key or by a link that makes one, and leaving it.

    key ──────▶ enter ─────────┐
                               ├─▶ a session of the key, for ENTRY_LIFE ─▶ leave, or the key's end
    link ─────▶ enter_by_link ─┘   the link makes a key of the role admin, and is gone

A link is for a store without operators, or for whoever may run commands on the machine. There is one at most.
"""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.audit import AuditNote
from regserver.domain.instant import Instant, after
from regserver.domain.operator_key import (
    ENTRY_LIFE,
    MOST_ENTRIES,
    MOST_KEYS,
    Operation,
    StoredKey,
    is_key_name,
)
from regserver.domain.operator_outcome import BadKeyName, KeyNameTaken, NotPermitted, TooManyKeys
from regserver.domain.outcome import BadLink, BadToken, Refusal, TooManyRequests
from regserver.domain.secret import TOKEN_BYTES, SecretHash, hash_secret, new_token
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Conflict, Transaction
from regserver.service.asker import Asker
from regserver.service.guess_guard import GuessGuard
from regserver.service.guess_target import target_key
from regserver.service.operator.key import KeyMade, make_key
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit


class EntryLink(msgspec.Struct, frozen=True):
    """A link to the page. secret: it stands behind the link's #, and is shown this once."""

    secret: str
    expires_at: Instant

    def address(self, base: str) -> str:
        """The link. base: of the server's addresses; "" for one without scheme and host."""
        return f"{base.rstrip('/')}/operator/enter#{self.secret}"

    def __repr__(self) -> str:
        return "EntryLink(…)"


class PageOpened(msgspec.Struct, frozen=True):
    """A session at the page. secret: of the session. made: the key that a link has made; None where there was one."""

    secret: str
    made: KeyMade | None = None

    def __repr__(self) -> str:
        return "PageOpened(…)"


NotEntered = BadLink | BadKeyName | KeyNameTaken | TooManyKeys


class EntryDesk:
    """The use cases of the page's door."""

    def __init__(self, store: Store, clock: Clock, randomness: Randomness, guard: GuessGuard | None) -> None:
        """guard: None in a command, where nobody enters."""
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._guard = guard
        self._unit = OperatorUnit(store, clock)

    # --- in and out
    async def enter(self, key: str, asker: Asker) -> PageOpened | BadToken | NotPermitted | TooManyRequests:
        """A session of the key, if it may see anything. Wrong keys are counted for each network. Raises StoreFault."""
        assert self._guard is not None  # noqa: S101  (see above)
        async with self._guard.attempt(target_key("operator", asker), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            secret = hash_secret(key)
            found = await self._store.look_up(lambda transaction: transaction.operators.find(secret))
            if found is None:
                return BadToken()
            await attempt.succeed_alone()
        if not found.may(Operation.READ_SERVER):
            return NotPermitted()
        session = self._new_secret()

        async def act(transaction: Transaction) -> PageOpened | BadToken:
            present = await transaction.operators.find(secret)  # it may have been revoked meanwhile
            return BadToken() if present is None else await self._open(transaction, present, session)

        return await self._store.write(act)

    async def enter_by_link(
        self, link: str, name: str, asker: Asker
    ) -> PageOpened | NotEntered | TooManyRequests:
        """Makes a key of the role admin under this name, and a session of it; the link is spent. Raises StoreFault."""
        assert self._guard is not None  # noqa: S101  (see above)
        if not is_key_name(name):
            return BadKeyName()
        new = KeyMade(name, "admin", new_token("regs_op_", self._randomness.bytes(TOKEN_BYTES)))
        session, entry = self._new_secret(), hash_secret(link)

        async def act(transaction: Transaction) -> PageOpened | NotEntered:
            return await self._spend(transaction, entry, new, session)

        async with self._guard.attempt(target_key("operator", asker), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            opened = await self._store.write(act)
            if isinstance(opened, PageOpened):
                await attempt.succeed_alone()
            elif not isinstance(opened, BadLink):
                attempt.waive()
            return opened

    async def leave(self, entry: SecretHash) -> None:
        """Ends a session. Raises StoreFault."""
        await self._store.write(lambda transaction: transaction.operators.leave(entry))

    # --- links
    async def make_link(self, who: OperatorCredential) -> EntryLink | Denied:
        """A link; the one before it ends. Raises StoreFault."""
        secret = self._new_secret()

        async def act(transaction: Transaction, now: Instant) -> EntryLink:
            return await _add_link(transaction, secret, now)

        return await self._unit.write(who, Operation.CHANGE_KEYS, act)

    async def first_link(self) -> EntryLink | None:
        """A link where there is neither an operator nor an account yet; None elsewhere. Raises StoreFault."""
        if not await self._store.read(_is_empty):
            return None
        secret, now = self._new_secret(), self._clock.now()

        async def act(transaction: Transaction) -> EntryLink | None:
            return await _add_link(transaction, secret, now) if await _is_empty(transaction) else None

        return await self._store.write(act)

    # --- in the unit
    async def _spend(
        self, transaction: Transaction, entry: SecretHash, new: KeyMade, session: str
    ) -> PageOpened | NotEntered:
        now = self._clock.now()
        keys = await transaction.operators.list(MOST_KEYS)
        if any(key.name == new.name for key in keys):
            return KeyNameTaken()  # and the link stays good
        if len(keys) >= MOST_KEYS:
            return TooManyKeys()
        if not await transaction.operators.take_link(entry, now):
            return BadLink()
        transaction.audit.by(f"key {new.name}")
        made = await make_key(transaction, new, now)
        if isinstance(made, Refusal):
            raise Conflict  # another node has made one of this name meanwhile: the next run sees it
        key = await transaction.operators.find(hash_secret(new.secret))
        assert key is not None  # noqa: S101  (it was written)
        opened = await self._open(transaction, key, session)
        return PageOpened(opened.secret, made)

    async def _open(self, transaction: Transaction, key: StoredKey, session: str) -> PageOpened:
        expires_at = after(self._clock.now(), ENTRY_LIFE)
        await transaction.operators.add_entry(hash_secret(session), key.id, expires_at)
        await transaction.operators.trim_entries(key.id, MOST_ENTRIES)
        transaction.audit.by(f"key {key.name}")
        transaction.audit.note(AuditNote(action="page_entered", subject=f"key {key.name}"))
        return PageOpened(session)

    def _new_secret(self) -> str:
        return new_token("rego_", self._randomness.bytes(TOKEN_BYTES))


async def _is_empty(transaction: Transaction) -> bool:
    keys = await transaction.operators.list(1)
    return not keys and not await transaction.accounts.search("", AccountId(0), 1)


async def _add_link(transaction: Transaction, secret: str, now: Instant) -> EntryLink:
    await transaction.operators.drop_links()
    expires_at = after(now, ENTRY_LIFE)
    await transaction.operators.add_entry(hash_secret(secret), None, expires_at)
    transaction.audit.note(AuditNote(action="link_made"))
    return EntryLink(secret, expires_at)
