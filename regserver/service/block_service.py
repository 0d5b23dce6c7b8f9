"""Whom people keep from bringing them into rooms."""

from regserver.domain.account import Account, AccountId
from regserver.domain.instant import Instant
from regserver.domain.outcome import AccountNotFound, BadId, TooManyBlocks
from regserver.domain.room import parse_id
from regserver.domain.secret import SecretHash
from regserver.ports.block_table import Block
from regserver.ports.transaction import Lock, Transaction
from regserver.service.identity_service import IdentityService, Unidentified

MAX_BLOCKS = 1000


class BlockService:
    """The blocks of a signed-in account."""

    def __init__(self, identity: IdentityService) -> None:
        self._identity = identity

    async def add(
        self, token: SecretHash, user_id: str
    ) -> Unidentified | BadId | AccountNotFound | TooManyBlocks | None:
        """Keeps an account out. user_id: as in the path; deleted accounts and oneself are not found."""

        async def act(
            transaction: Transaction, account: Account, now: Instant
        ) -> BadId | AccountNotFound | TooManyBlocks | None:
            number = parse_id(user_id)
            if number is None:
                return BadId()
            blocked = AccountId(number)
            await transaction.lock(Lock.ACCOUNT, account.id, blocked)
            if blocked == account.id or not await transaction.accounts.living([blocked]):
                return AccountNotFound()
            added = await transaction.blocks.add(account.id, blocked, now, MAX_BLOCKS)
            return None if added else TooManyBlocks()

        return await self._identity.write(token, act)

    async def remove(self, token: SecretHash, user_id: str) -> Unidentified | BadId | None:
        """Lets an account in again, whether or not it was kept out. user_id: as in the path."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> BadId | None:
            number = parse_id(user_id)
            if number is None:
                return BadId()
            await transaction.blocks.remove(account.id, AccountId(number))
            return None

        return await self._identity.write(token, act)

    async def list(self, token: SecretHash) -> tuple[Block, ...] | Unidentified:
        """Whom the account keeps out."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> tuple[Block, ...]:
            return await transaction.blocks.of_account(account.id)

        return await self._identity.read(token, act)
