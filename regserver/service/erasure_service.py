"""Erasure: what a deleted account's person left here goes, once the time of grace has passed.

    active ── DELETE /login/delete ──▶ deleted ── after login.deletion_grace ──▶ erased
       ▲                                  │
       └── POST /login/restore, operator ─┘

An account that a command has deleted beside the running server leaves its rooms here.

An account that waits (for its approval, or the verification of its address) longer than it may is deleted here. One that
was never let in is erased at once, and its name is free again: otherwise strangers could use up names.

What remains is the account's number, a keyed hash of its name, so that nobody gets it again, the hashes of its unexpired
tokens, and the posts, which belong to their conversations and are by a deleted user.
"""

import logging
from functools import partial

import msgspec
import trio

from regserver.domain.account import AccountId, NameKey, name_key
from regserver.domain.audit import AuditNote
from regserver.domain.instant import Duration, Instant
from regserver.domain.journal import JournalSeal
from regserver.ports.clock import Clock
from regserver.ports.name_table import NameHash, account_holder
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import leave_rooms, lock_rooms, refuse_waiting

log = logging.getLogger("regserver.erasure")

INTERVAL_SECONDS = 60.0
PAUSE_SECONDS = 0.4
"""Between two looks: other nodes may write all the time."""
AT_ONCE = 100
"""Accounts that are looked up together; each is erased in a transaction of its own."""


class ErasurePolicy(msgspec.Struct, frozen=True):
    """grace: how long a deleted account can be restored; 0 erases at once. waiting: how long an account may wait before it is
    removed; 0 for ever.
    """

    grace: Duration
    waiting: Duration = Duration(0)


class ErasureService:
    """Erases accounts. seal: of the ledger's journal. hash_name: as the store's names are hashed."""

    def __init__(
        self, store: Store, clock: Clock, seal: JournalSeal, hash_name: NameHash, policy: ErasurePolicy
    ) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._hash_name = hash_name
        self.grace = policy.grace
        self._waiting = policy.waiting
        self._changed = trio.Event()

    def changed_nowait(self) -> None:
        """Another process has written to the store: accounts may have been deleted there."""
        self._changed.set()

    async def run(self) -> None:
        """Does what is due, every INTERVAL_SECONDS and after each change of another process, until cancelled.

        A store that fails is tried again next time.
        """
        while True:
            self._changed = trio.Event()
            try:
                await self.leave_due()
                await self.close_waiting()
                await self.erase_due()
            except StoreFault as fault:
                log.warning("deleted accounts were not erased: %s", fault)
            with self._clock.move_on_after(INTERVAL_SECONDS):
                await trio.sleep(PAUSE_SECONDS)
                await self._changed.wait()

    async def leave_due(self) -> None:
        """Makes deleted accounts leave the rooms that they are still in. Raises StoreFault."""
        while inside := await self._store.read(lambda transaction: transaction.erasures.in_rooms(AT_ONCE)):
            for account in inside:
                await self.leave(account)

    async def leave(self, account: AccountId) -> bool:
        """Makes an account leave its rooms, unless it was restored. Raises StoreFault."""

        async def work(transaction: Transaction) -> bool:
            await transaction.lock(Lock.ACCOUNT, account)
            current = await transaction.accounts.by_id(account)
            if current is None or current.deleted_at is None:
                return False
            await lock_rooms(transaction, account)
            await leave_rooms(transaction, account, self._clock.now())
            return True

        return await self._store.write(work)

    async def close_waiting(self) -> int:
        """Deletes the accounts that have waited too long; returns how many. Raises StoreFault."""
        if not self._waiting:
            return 0
        now, closed = self._clock.now(), 0
        before = Instant(now - self._waiting)
        while due := await self._store.read(
            lambda transaction: transaction.waiting.since_before(before, AT_ONCE)
        ):
            for account in due:
                closed += await self._store.write(partial(refuse_waiting, account=account, now=now))
        return closed

    async def erase_due(self) -> int:
        """Erases the accounts whose time of grace has passed; returns how many. Raises StoreFault."""
        before = Instant(self._clock.now() - self.grace)
        erased = 0
        while due := await self._store.read(lambda transaction: transaction.erasures.due(before, AT_ONCE)):
            for account in due:
                erased += await self.erase(account, before)
        return erased

    async def erase(self, account: AccountId, before: Instant) -> bool:
        """Erases an account, unless it was restored, or deleted again after `before`. Raises StoreFault."""
        erased = await self._store.write(lambda transaction: self._erase(transaction, account, before))
        if erased:
            log.info("account %d is erased", account)
        return erased

    async def _erase(self, transaction: Transaction, number: AccountId, before: Instant) -> bool:
        await transaction.lock(Lock.ACCOUNT, number)
        account = await transaction.accounts.by_id(number)
        if account is None or account.deleted_at is None:
            return False
        if account.deleted_at > before and account.waits_for is None:
            return False
        if account.erased_at is not None:
            return False
        await lock_rooms(transaction, number)
        key = name_key(account.username)
        gone = self._hash_name(key)
        if account.waits_for is None:
            await transaction.names.erase(key, account_holder(number))
        else:
            gone = self._hash_name(
                NameKey(f"{number}\0{key}")
            )  # others may have had the name, and waited in vain
            await transaction.names.release(key, account_holder(number))
        if account.ledger_name is not None:
            await self._empty_entry(transaction, account.ledger_name)
        await leave_rooms(transaction, number, self._clock.now())
        await transaction.erasures.erase(number, gone, self._clock.now())
        transaction.audit.note(AuditNote(action="account_erased", account=number))
        return True

    async def _empty_entry(self, transaction: Transaction, user_id: str) -> None:
        await transaction.lock(Lock.JOURNAL)
        entry = await transaction.journal.of_user(user_id)
        if entry is not None:
            await transaction.journal.replace(self._seal.emptied(entry))
