"""Upkeep of sessions: when they were last used is written, and sockets are closed whose session is no more.

A session that this process ends closes its sockets by itself. The watch is for those that another process ended: another
node, or a command of the operator's. The store tells when one has written; the sockets of whoever is named there are looked up.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

import trio

from regserver.domain.account import AccountId
from regserver.domain.outcome import BadToken, NotApproved, UserIsDeleted
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.service.session_endings import SessionEndings
from regserver.service.session_use import SessionUses

log = logging.getLogger("regserver.session")

WRITE_SECONDS = 60.0
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 0.4
"""Between two looks: other nodes may write all the time. What ends there must be heard of within a second."""
WRITTEN_AT_ONCE = 500
"""Uses in one transaction, so that posts do not wait long."""
LOOKED_UP_AT_ONCE = 500
"""Sockets that one look covers, some milliseconds of a reader's thread."""


class SessionUpkeep:
    """The background work for sessions. uses: those that are to be written."""

    def __init__(self, store: Store, clock: Clock, broker: Broker, uses: SessionUses) -> None:
        self._store = store
        self._clock = clock
        self._broker = broker
        self._uses = uses
        self._changed = trio.Event()
        self._endings = SessionEndings(store, clock)

    # --- uses
    async def run_writing(self) -> None:
        """Writes the uses every WRITE_SECONDS, and once more when it is cancelled."""
        try:
            while True:
                await self._clock.sleep(WRITE_SECONDS)
                await _done(self.write)
        finally:
            with trio.CancelScope(shield=True):
                await _done(self.write)

    async def write(self) -> None:
        """Writes the uses that are noted. Raises StoreFault; what was not written then is lost."""
        uses = sorted(self._uses.take().items())  # in one order, so that no two nodes wait for each other
        for first in range(0, len(uses), WRITTEN_AT_ONCE):
            part = uses[first : first + WRITTEN_AT_ONCE]
            await self._store.write(lambda transaction, part=part: transaction.tokens.note_uses(part))  # type: ignore[misc]

    # --- sockets
    def changed_nowait(self) -> None:
        """Another process has written to the store: sessions may have ended there."""
        self._changed.set()

    async def run_watch(self) -> None:
        """Looks for what has ended after each change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            if not await _done(self.end_lost):
                await trio.sleep(RETRY_SECONDS)
                self._changed.set()
            await trio.sleep(PAUSE_SECONDS)

    async def end_lost(self) -> None:
        """Ends the sockets whose session is no more, or whose account was deleted. Raises StoreFault."""
        ended = await self._endings.next()
        tokens = [(token, account) for account in ended.accounts for token in self._broker.tokens_of(account)]
        if not ended.is_whole:
            tokens = list(self._broker.tokens().items())
        for first in range(0, len(tokens), LOOKED_UP_AT_ONCE):
            await self._end_lost(dict(tokens[first : first + LOOKED_UP_AT_ONCE]))

    async def _end_lost(self, tokens: Mapping[SecretHash, AccountId]) -> None:
        now = self._clock.now()
        found = await self._store.read(lambda transaction: transaction.tokens.states(list(tokens), now))
        for token, account in tokens.items():
            if token not in found:
                self._broker.end_tokens_nowait(account, {token}, BadToken())
            elif found[token].deleted_at is not None:
                self._broker.end_tokens_nowait(account, {token}, UserIsDeleted())
            elif found[token].suspended_at is not None:
                self._broker.end_tokens_nowait(account, {token}, NotApproved(waits_for="resumption"))


async def _done(work: Callable[[], Awaitable[None]]) -> bool:
    """Whether the store let it be done."""
    try:
        await work()
    except StoreFault as fault:
        log.warning("the upkeep of sessions has to wait: %s", fault)
        return False
    return True
