"""The guessing bound: every place where a secret is tried asks here first.

    async with guard.attempt(target, asker) as attempt:        waits for its turn, or TooManyRequests
        …compare…
        await attempt.succeed(transaction, account)            in the unit that writes the token
                                                               otherwise: one failure more, before the answer

One counter in the store counts the failures in a row of an account, whatever the secret, the spelling of its name and the
door. A network from which the account was signed in has a counter of its own, so that a stranger's failures do not keep
the owner out. A name that nobody has is counted in the same way. `regserver.domain.guess` has the waits.

**Many at once.** A guess that is being compared counts as a failure until it is decided: no more of them run at once than
would be free. Further ones wait in line until one ends, and go on, or are refused. So 200 simultaneous guesses are compared as
often as 200 in a row, and 50 simultaneous sign-ins with the right password all succeed. The line is in memory and the
count in the store, so a right password costs no commit of its own. Several nodes on one store may compare one guess
more for each node.

**One-time codes** are admitted by limits of their own, so that no stranger's wrong passwords close this way in. A wrong one counts
here like any other (`GuessGuard.count`), but does not prolong the day for which the password is closed.

A guess that is given up before it is decided, because its client has gone or the store failed, is not counted: nobody
was told its result.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.audit import AuditNote
from regserver.domain.guess import (
    FREE_FAILURES,
    MOST_FAILURES,
    NETWORK_KNOWN,
    CounterKey,
    Failures,
    GuessHash,
    NetworkHash,
    as_of_now,
    time_left,
)
from regserver.domain.instant import DAY, Instant
from regserver.domain.outcome import TooManyRequests
from regserver.domain.webhook import account_hook
from regserver.ports.audit_table import asked_from
from regserver.ports.clock import Clock
from regserver.ports.mail_template import MailTemplates
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.asker import Asker
from regserver.service.guess_line import EndedGuesses, GuessLine
from regserver.service.guess_target import GuessTarget
from regserver.service.outbox import Outbox
from regserver.service.sign_in_audit import SignInAudit

log = logging.getLogger("regserver.guess")

MOST_IN_LINE = 100
"""Guesses at one counter that may wait at once; further ones are refused for a second."""
NOTED_AGAIN_AFTER = DAY
"""A known network is noted again after this only, so that most sign-ins write nothing for it."""

GuessEnd = Literal["right", "wrong", "refused", "closed"]
"""closed: wrong, and the last one for a day."""


class GuessParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the guard works with. on_guess: called with what became of each guess."""

    store: Store
    clock: Clock
    hashes: GuessHash
    outbox: Outbox
    mail_templates: MailTemplates
    on_guess: Callable[[GuessEnd], object] = lambda end: None


class _Sight(msgspec.Struct, frozen=True):
    """What the store knows of a target. network: of the asker. noted_at: when the account signed in from it."""

    account: Account | None
    network: NetworkHash | None
    noted_at: Instant | None
    counter: CounterKey
    failures: Failures


class Attempt:
    """One guess that may be compared. account: the target's, as it was found; None if there is none. asker: who guesses.

    Unless it is said to have succeeded, it is counted as a failure at the end of its context.
    """

    def __init__(self, parts: GuessParts, sight: _Sight, asker: Asker) -> None:
        self._parts = parts
        self._sight = sight
        self.asker = asker
        self.decided = False
        self.is_right = False

    @property
    def account(self) -> Account | None:
        """The target's account."""
        return self._sight.account

    async def succeed(self, transaction: Transaction, account: AccountId) -> None:
        """The guess was right, and `account` is signed in by this unit. Resets the counter, notes the network.

        account: usually the target's. Another one (the source knows its own people by that name) leaves the
        target's counter as it is.
        """
        self.decided = True
        self.is_right = True
        sight, now = self._sight, self._parts.clock.now()
        own = sight.account is None or sight.account.id == account
        if own and sight.failures.count:
            await transaction.guesses.clear(sight.counter)
        fresh = own and sight.noted_at is not None and now - sight.noted_at < NOTED_AGAIN_AFTER
        if sight.network is not None and not fresh:
            await transaction.networks.note(account, sight.network, self.asker.language, now)
            await transaction.networks.trim(account)

    async def succeed_alone(self) -> None:
        """The guess was right, and nothing else is written. Commits only if there is a counter to reset."""
        self.decided = True
        self.is_right = True
        if self._sight.failures.count:
            counter = self._sight.counter
            await self._parts.store.write(lambda transaction: transaction.guesses.clear(counter))

    def waive(self) -> None:
        """The guess was right, but for somebody else, or for an account that is no more: counts nothing, resets nothing."""
        self.decided = True


class GuessGuard:
    """See the module. One for all doors."""

    def __init__(self, parts: GuessParts) -> None:
        self._parts = parts
        self._lines: dict[CounterKey, GuessLine] = {}
        self._ends = EndedGuesses()
        self._audited = SignInAudit(parts.clock)

    @asynccontextmanager
    async def attempt(self, target: GuessTarget, asker: Asker) -> AsyncIterator[Attempt | TooManyRequests]:
        """Admits one guess, when its turn comes, or refuses it. Raises StoreFault.

        Refused guesses do not count: a wait does not grow by asking again.
        """
        ends = self._ends.count
        sight = await self._look(target, asker)
        line = self._lines.setdefault(sight.counter, GuessLine())
        line.present += 1
        try:
            admitted = await self._admit(line, sight, ends)
            if isinstance(admitted, TooManyRequests):
                self._parts.on_guess("refused")
                yield admitted
                return
            try:
                attempt = Attempt(self._parts, admitted, asker)
                yield attempt
                await self._settle(attempt, admitted)
            finally:
                self._end(line, sight.counter)
        finally:
            line.present -= 1
            if not line.present:
                del self._lines[sight.counter]

    @asynccontextmanager
    async def count(self, target: GuessTarget, asker: Asker) -> AsyncIterator[Attempt]:
        """A guess that limits of its own have admitted: it never waits, and is counted unless it succeeds. Raises StoreFault."""
        sight = await self._look(target, asker)
        attempt = Attempt(self._parts, sight, asker)
        yield attempt
        await self._settle(attempt, sight, most=MOST_FAILURES)
        self._ends.note(sight.counter)
        if (line := self._lines.get(sight.counter)) is not None:
            line.changes += 1  # whoever is reading the counter reads it again

    async def remember(self, transaction: Transaction, account: AccountId, asker: Asker) -> None:
        """Notes the network of an account that was made, or signed in with a passkey, in the unit that does so."""
        network = self._parts.hashes.network(asker.address)
        if network is not None:
            await transaction.networks.note(account, network, asker.language, self._parts.clock.now())
            await transaction.networks.trim(account)

    # --- the turn
    async def _look(self, target: GuessTarget, asker: Asker) -> _Sight:
        return await self._parts.store.look_up(partial(self._see, target, asker))

    async def _see(self, target: GuessTarget, asker: Asker, transaction: Transaction) -> _Sight:
        """One unit, with as many statements for a name that nobody has."""
        hashes, now = self._parts.hashes, self._parts.clock.now()
        network, account = hashes.network(asker.address), await target.find(transaction)
        number = AccountId(0) if account is None else account.id
        noted_at = None if network is None else await transaction.networks.signed_in_at(number, network)
        if noted_at is not None and noted_at + NETWORK_KNOWN <= now:
            noted_at = None
        named = target.otherwise if account is None else f"account:{account.id}"
        counter = hashes.counter(named, network if noted_at is not None else None)
        failures = as_of_now(await transaction.guesses.failures(counter), now)
        return _Sight(account, network, noted_at, counter, failures)

    async def _admit(self, line: GuessLine, sight: _Sight, ends: int) -> _Sight | TooManyRequests:
        """Waits in line. ends: how many guesses had ended when the reading of `sight` began."""
        if line.present > MOST_IN_LINE:
            return TooManyRequests(1)
        async with line.turn:
            if self._ends.changed(sight.counter, ends):
                sight = await self._look_again(line, sight)
            while True:
                left = time_left(sight.failures, self._parts.clock.now())
                free = sight.failures.count + line.running < FREE_FAILURES
                if free or (not left and not line.running):
                    line.running += 1
                    return sight
                if not line.running:
                    return TooManyRequests(max(1, left.whole_seconds))
                await line.ended.wait()
                sight = await self._look_again(line, sight)

    async def _look_again(self, line: GuessLine, sight: _Sight) -> _Sight:
        """The counter as it is now: read once more if a guess has ended during the reading."""
        while True:
            changes = line.changes
            found = await self._parts.store.look_up(
                lambda transaction: transaction.guesses.failures(sight.counter)
            )
            if line.changes == changes:
                failures = as_of_now(found, self._parts.clock.now())
                return msgspec.structs.replace(sight, failures=failures)

    def _end(self, line: GuessLine, counter: CounterKey) -> None:
        line.end_one()
        self._ends.note(counter)

    # --- the end of a guess
    async def _settle(self, attempt: Attempt, sight: _Sight, most: int | None = None) -> None:
        """Counts it, unless it is known whose it was. most: failures beyond which there are no more."""
        if attempt.is_right:
            self._parts.on_guess("right")
        if not attempt.decided and (most is None or sight.failures.count < most):
            await self._fail(sight)

    async def _fail(self, sight: _Sight) -> None:
        """Counts it, and tells the owner when it is the last for a day."""
        account, now = sight.account, self._parts.clock.now()
        number = None if account is None else account.id
        is_noted = self._audited.takes_refused(asked_from.get() or "")

        async def work(transaction: Transaction) -> int:
            count = await transaction.guesses.count(sight.counter, number, now)
            if is_noted:
                transaction.audit.note(AuditNote(action="sign_in", account=number, outcome="refused"))
            if count == MOST_FAILURES and account is not None:
                await self._tell(transaction, account)
            if account is not None:
                # Of names that nobody has nothing is told: strangers could make the server keep any number of them.
                await transaction.hooks.tell(
                    account_hook("sign_in.failed", account.id, now, {"failures": count})
                )
            return count

        closes = await self._parts.store.write(work) == MOST_FAILURES
        self._parts.on_guess("closed" if closes else "wrong")
        if closes and account is not None:
            log.warning("account %d: %d wrong passwords in a row, refused for a day", number, MOST_FAILURES)

    async def _tell(self, transaction: Transaction, account: Account) -> None:
        address = account.verified_email
        if address is not None and account.deleted_at is None:
            language = await transaction.networks.language(account.id) or ""
            values = {"username": account.username, "failures": str(MOST_FAILURES)}
            mail = self._parts.mail_templates.write("guessed", language, address, values)
            await self._parts.outbox.enqueue(transaction, mail)
