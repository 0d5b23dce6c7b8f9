"""Looking whether a name is taken, and writing an account that takes it, for the sign-ups of all doors."""

from regserver.domain.account import AccountId, EmailKey, NameKey, NewAccount, name_key
from regserver.domain.instant import Instant
from regserver.domain.outcome import EmailTaken, UsernameTaken
from regserver.ports.name_table import account_holder
from regserver.ports.transaction import Conflict, Lock, Transaction


async def find_taken(
    transaction: Transaction, name: NameKey | None, email: EmailKey | None, now: Instant
) -> tuple[UsernameTaken | EmailTaken, ...]:
    """A refusal for each of the two that is taken. Checked before the costly hash; the unique keys decide later."""
    taken: list[UsernameTaken | EmailTaken] = []
    if name is not None and await transaction.names.holder(name, now) is not None:
        taken.append(UsernameTaken())
    if email is not None and await transaction.accounts.by_email(email) is not None:
        taken.append(EmailTaken())
    return tuple(taken)


async def add_account(
    transaction: Transaction, account: NewAccount, reserved_by: str = ""
) -> AccountId | UsernameTaken | EmailTaken:
    """Writes an account and takes its name for good.

    reserved_by: the holder of the caller's reservation of this name, or "". After a refusal the caller must write nothing
    else in this transaction.
    """
    key = name_key(account.username)
    await transaction.lock(Lock.NAME, key)
    held = await transaction.names.holder(key, account.created_at)
    if held is not None and held.key != reserved_by:
        return UsernameTaken()
    added = await transaction.accounts.add(account)
    if added is None:
        return EmailTaken()
    if held is not None:
        await transaction.names.release(key, held.key)
    if not await transaction.names.claim(key, account_holder(added), None, account.created_at):
        raise Conflict("a name was reserved meanwhile")
    return added
