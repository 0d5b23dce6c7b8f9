"""Deletion of an account by its owner. Sign-in restores it (`SignInService.restore`), ErasureService erases it."""

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import BadCredentials, Refusal, TooManyRequests, UserIsDeleted
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.transaction import Transaction
from regserver.service.account_end import close_locked, leave_rooms, lock_rooms
from regserver.service.asker import Asker
from regserver.service.erasure_service import ErasureService
from regserver.service.guess_guard import Attempt, GuessGuard
from regserver.service.guess_target import target_account
from regserver.service.identity_service import IdentityService, Unknown

DeletionRefusal = Unknown | BadCredentials | TooManyRequests


class DeletionService:
    """The use case of DELETE /login/delete. broker: ends the sockets of accounts. erasure: for accounts without grace."""

    def __init__(
        self,
        identity: IdentityService,
        guard: GuessGuard,
        hasher: PasswordHasher,
        broker: Broker,
        erasure: ErasureService,
    ) -> None:
        self._identity = identity
        self._guard = guard
        self._hasher = hasher
        self._broker = broker
        self._erasure = erasure

    async def delete(self, token: SecretHash, password: str | None, asker: Asker) -> DeletionRefusal | None:
        """Deletes the account of a token; then ends its sockets and returns. Raises StoreFault.

        password: the account's own, compared if it is given, and then a guess as any other. An account whose password
        only the source knows has none here.
        """
        if password is None:
            return await self._delete(token, None)

        async def find(_transaction: Transaction, account: Account, _now: Instant) -> Account:
            return account

        account = await self._identity.look_up_waiting(token, find)
        if isinstance(account, Refusal):
            return account
        async with self._guard.attempt(target_account(account.id), asker) as attempt:
            if isinstance(attempt, TooManyRequests):
                return attempt
            if not await self._hasher.verify(password, account.password_hash):
                return BadCredentials()
            return await self._delete(token, attempt)

    async def _delete(self, token: SecretHash, attempt: Attempt | None) -> Unknown | None:
        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> tuple[AccountId, Instant] | UserIsDeleted:
            if not await close_locked(transaction, account, now):
                return UserIsDeleted()
            await lock_rooms(transaction, account.id)
            if attempt is not None:
                await attempt.succeed(transaction, account.id)
            await leave_rooms(transaction, account.id, now)
            return account.id, now

        deleted = await self._identity.write_waiting(token, act)
        if isinstance(deleted, Refusal):
            return deleted
        await self._broker.end_account(deleted[0])
        if not self._erasure.grace:
            await self._erasure.erase(*deleted)
        return None
