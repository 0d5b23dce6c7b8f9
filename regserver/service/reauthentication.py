"""Proof that a session's own person is asking, before a change that takes the account away from whoever loses its token.

a password is kept here  → it is asked for, and a wrong one is a guess at the account
none is                  → the session must come from a sign-in of the last minutes

async with again.prove(token, password, asker) as proof:         or a refusal
    ...
    refusal = await proof.settle(transaction, account)           in the unit of the change, which holds Lock.ACCOUNT
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from regserver.domain.account import Account
from regserver.domain.instant import Instant
from regserver.domain.outcome import BadCredentials, RecentSignInRequired, Refusal, TooManyRequests
from regserver.domain.secret import SecretHash
from regserver.domain.session import RECENT_SIGN_IN
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.transaction import Transaction
from regserver.service.asker import Asker
from regserver.service.guess_guard import Attempt, GuessGuard
from regserver.service.guess_target import target_account
from regserver.service.identity_service import IdentityService, Unidentified

ProofRefusal = Unidentified | BadCredentials | RecentSignInRequired | TooManyRequests


async def is_recent_sign_in(transaction: Transaction, token: SecretHash, now: Instant) -> bool:
    """Whether the token's session came from a sign-in of the last RECENT_SIGN_IN."""
    signed_in_at = await transaction.tokens.signed_in_at(token)
    return signed_in_at is not None and now - signed_in_at < RECENT_SIGN_IN


class PersonProof:
    """account: the session's, as it was when the proof was given. attempt: the guess that was right, where there was one."""

    def __init__(self, account: Account, attempt: Attempt | None) -> None:
        self.account = account
        self._attempt = attempt

    async def settle(self, transaction: Transaction, account: Account) -> BadCredentials | None:
        """In the unit of the change: refuses where the password has changed since, and resets the counter of guesses."""
        if account.password_hash != self.account.password_hash:
            return BadCredentials()
        if self._attempt is not None:
            await self._attempt.succeed(transaction, account.id)
        return None


class Reauthentication:
    """See the module."""

    def __init__(self, identity: IdentityService, guard: GuessGuard, hasher: PasswordHasher) -> None:
        self._identity = identity
        self._guard = guard
        self._hasher = hasher

    @asynccontextmanager
    async def prove(
        self, token: SecretHash, password: str | None, asker: Asker
    ) -> AsyncIterator[PersonProof | ProofRefusal]:
        """Asks for the password, or for a recent sign-in. A named token is no sign-in. Raises StoreFault."""

        async def look(transaction: Transaction, account: Account, now: Instant) -> tuple[Account, bool]:
            return account, await is_recent_sign_in(transaction, token, now)

        found = await self._identity.look_up(token, look)
        if isinstance(found, Refusal):
            yield found
            return
        account, is_recent = found
        if account.password_hash is None:
            yield PersonProof(account, None) if is_recent else RecentSignInRequired()
            return
        if not password:
            yield BadCredentials()
            return
        async with self._guard.attempt(target_account(account.id), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                yield attempt
            elif not await self._hasher.verify(password, account.password_hash):
                yield BadCredentials()
            else:
                attempt.waive()  # it was right, whatever else of the change is refused
                yield PersonProof(account, attempt)
