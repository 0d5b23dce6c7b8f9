"""Use cases of a signed-in account: look-ups and sign-out."""

import msgspec

from regserver.domain.account import Account, AccountId, is_sign_in_name, name_key
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Instant
from regserver.domain.outcome import AccountNotFound, BadId
from regserver.domain.room import RoomId, parse_id
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.transaction import Transaction
from regserver.service.account_ending import EndedSessions, close_sockets_nowait, end_outstanding
from regserver.service.identity_service import IdentityService, Unidentified


class AccountDetail(msgspec.Struct, frozen=True):
    """An account as its owner sees it."""

    account: Account
    rooms: tuple[RoomId, ...]


class AccountService:
    """Use cases of a signed-in account. broker: ends the sockets of sessions."""

    def __init__(self, identity: IdentityService, broker: Broker) -> None:
        self._identity = identity
        self._broker = broker

    async def info(self, token: SecretHash) -> AccountDetail | Unidentified:
        """The token's account, and the rooms it is in."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> AccountDetail:
            return AccountDetail(account, await transaction.rooms.of_account(account.id))

        return await self._identity.look_up(token, act)

    async def id_of(self, token: SecretHash, username: str) -> AccountId | Unidentified | AccountNotFound:
        """The id of the account with this name, in any spelling; accounts that are deleted or wait are not found."""

        async def act(
            transaction: Transaction, _account: Account, _now: Instant
        ) -> AccountId | AccountNotFound:
            found = (
                await transaction.accounts.by_name(name_key(username)) if is_sign_in_name(username) else None
            )
            return AccountNotFound() if found is None or not found.is_usable else found.id

        return await self._identity.look_up(token, act)

    async def name_of(self, token: SecretHash, user_id: str) -> str | Unidentified | BadId | AccountNotFound:
        """The user name of the account with this id; accounts that are deleted or wait are not found. user_id: as in the path."""

        async def act(
            transaction: Transaction, _account: Account, _now: Instant
        ) -> str | BadId | AccountNotFound:
            wanted = parse_id(user_id)
            if wanted is None:
                return BadId()
            found = await transaction.accounts.by_id(AccountId(wanted))
            return AccountNotFound() if found is None or not found.is_usable else found.username

        return await self._identity.look_up(token, act)

    async def sign_out(self, token: SecretHash, *, everywhere: bool) -> Unidentified | None:
        """Revokes the token, or all tokens of its account (everywhere), and ends their sockets."""

        event = AccountEvent.SIGNED_OUT_EVERYWHERE if everywhere else AccountEvent.SESSION_ENDED

        async def act(transaction: Transaction, account: Account, _now: Instant) -> EndedSessions:
            return await end_outstanding(transaction, event, account.id, token)

        ended = await self._identity.write_locked(token, act)
        if isinstance(ended, Unidentified):
            return ended
        close_sockets_nowait(self._broker, ended)
        return None
