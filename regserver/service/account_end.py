"""What a deletion ends, whoever deletes the account: its owner, or a command of the operator's beside the server.

A command leaves the rooms to the server (`ErasureService.leave_due`), which alone can tell the members' sockets.
"""

from regserver.domain.account import Account, AccountId
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.outcome import UserIsDeleted
from regserver.domain.room_event import Left
from regserver.domain.webhook import account_hook
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_ending import end_outstanding
from regserver.service.room_service import leave_room


async def close_locked(transaction: Transaction, account: Account, now: Instant) -> bool:
    """Marks an account as deleted, and ends all but its memberships; False when it is deleted already.

    Name and tokens stay, so that they are answered with UserIsDeleted; contacts are free. The caller holds Lock.ACCOUNT.
    """
    if not await transaction.accounts.mark_deleted(account.id, now):
        return False
    await transaction.hooks.tell(account_hook("user.deleted", account.id, now))
    await end_outstanding(transaction, AccountEvent.DELETED, account.id, None)
    await transaction.contacts.release_all(account.id)
    await transaction.accounts.verify_email(account.id, None)
    if account.ledger_name is not None:
        await transaction.registrations.forget(account.ledger_name)
    await transaction.offers.remove_all(account.id)
    await transaction.blocks.remove_all(account.id)
    return True


async def refuse_waiting(transaction: Transaction, account: AccountId, now: Instant) -> bool:
    """Deletes an account that waits, for good; False when it does not wait."""
    await transaction.lock(Lock.ACCOUNT, account)
    return await refuse_locked(transaction, account, now)


async def refuse_locked(transaction: Transaction, account: AccountId, now: Instant) -> bool:
    """The same for a unit that holds the account's lock."""
    current = await transaction.accounts.by_id(account)
    if current is None or current.waits_for is None:
        return False
    return await close_locked(transaction, current, now)


async def lock_rooms(transaction: Transaction, account: AccountId) -> None:
    """Locks the rooms that an account is in, for `leave_rooms`. The caller holds Lock.ACCOUNT, so it enters no other."""
    if rooms := await transaction.rooms.of_account(account):
        await transaction.lock(Lock.ROOM, *rooms)


async def leave_rooms(transaction: Transaction, account: AccountId, now: Instant) -> None:
    """Ends the memberships of a deleted account. The caller has called `lock_rooms`."""
    # Read again: the account may have left a room before its lock was taken.
    for room in await transaction.rooms.of_account(account):
        await leave_room(transaction, room, account, Left(deleted=True), now)


async def restore_locked(transaction: Transaction, account: AccountId, now: Instant) -> bool:
    """Brings a deleted account back; False when it is not deleted, or erased. The tokens that its deletion left end.

    The caller holds Lock.ACCOUNT.
    """
    if not await transaction.accounts.restore(account, now):
        return False
    await end_outstanding(transaction, AccountEvent.RESTORED, account, None)
    return True


def deletion_refusal(
    account: Account | None, grace: Duration, now: Instant, *, restores: bool
) -> UserIsDeleted | None:
    """What somebody with the right password is told of a deleted account; None where it may be signed in with, or restored."""
    if account is None or account.erased_at is not None:
        return UserIsDeleted()
    if account.deleted_at is None:
        return None
    until = after(account.deleted_at, grace)
    if now >= until:
        return UserIsDeleted()
    return None if restores else UserIsDeleted(restorable_until=until)
