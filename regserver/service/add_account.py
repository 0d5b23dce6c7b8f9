"""Looking whether a name is taken, and writing an account that takes it, for the sign-ups of all doors."""

import msgspec

from regserver.domain.account import AccountId, EmailKey, NameKey, NewAccount, name_key
from regserver.domain.audit import AuditNote
from regserver.domain.contact import ContactClaim, ContactKey
from regserver.domain.instant import Instant
from regserver.domain.outcome import EmailTaken, UsernameTaken
from regserver.domain.webhook import account_hook
from regserver.ports.name_table import account_holder
from regserver.ports.transaction import Conflict, Lock, Transaction
from regserver.service.approval import hand_in
from regserver.service.sign_up_gate import GateEntry, Refused, admit


async def find_taken(
    transaction: Transaction, name: NameKey | None, contact: ContactKey | None, now: Instant
) -> tuple[UsernameTaken | EmailTaken, ...]:
    """A refusal for each of the two that is taken. Checked before the costly hash; the unique keys decide later."""
    taken: list[UsernameTaken | EmailTaken] = []
    if name is not None and await transaction.names.holder(name, now) is not None:
        taken.append(UsernameTaken())
    if contact is not None and await transaction.contacts.owner(contact) is not None:
        taken.append(EmailTaken())
    return tuple(taken)


async def add_account(
    transaction: Transaction, account: NewAccount, reserved_by: str = "", entry: GateEntry | None = None
) -> AccountId | UsernameTaken | EmailTaken | Refused:
    """Writes an account, takes its name for good, and its contact, if it is verified; spends its invitation, if it has one.

    reserved_by: the holder of the caller's reservation of this name, or "". entry: of the door's gate; None lets everybody in.
    The caller has taken Lock.EMAIL for the contact, if there is one; after a refusal it must write nothing else in this
    transaction. EmailTaken: another account has verified the contact, of whatever kind.
    """
    key = name_key(account.username)
    await transaction.lock(Lock.NAME, key)
    held = await transaction.names.holder(key, account.created_at)
    if held is not None and held.key != reserved_by:
        return UsernameTaken()
    if account.contact is not None and await transaction.contacts.owner(account.contact.key) is not None:
        return EmailTaken()
    if entry is not None:
        # After all other refusals: it spends.
        reason = await admit(transaction, entry, account.contact, account.created_at)
        if isinstance(reason, Refused):
            return reason
        account = msgspec.structs.replace(account, waits_for=reason)
    added = await transaction.accounts.add(account)
    if entry is not None and entry.papers is not None and account.waits_for == "approval":
        await hand_in(transaction, entry.papers, added, account.created_at)
    said = {"door": account.origin} | ({} if account.waits_for is None else {"waitsFor": account.waits_for})
    await transaction.hooks.tell(account_hook("user.created", added, account.created_at, said))
    transaction.audit.note(AuditNote(action="account_made", account=added, subject=account.origin))
    if account.contact is not None and account.contact.is_verified:
        await take_contact(transaction, account.contact, added, account.created_at)
    if held is not None:
        await transaction.names.release(key, held.key)
    if not await transaction.names.claim(key, account_holder(added), None, account.created_at):
        raise Conflict("a name was reserved meanwhile")
    return added


async def take_contact(
    transaction: Transaction, claim: ContactClaim, account: AccountId, now: Instant
) -> None:
    """Makes a contact that nobody has verified the account's. Other accounts' wishes for the address are gone.

    An account that waits for this alone waits no more. The caller holds Lock.EMAIL for the contact.
    """
    if not await transaction.contacts.claim(claim.key, claim.contact.kind, account, now):
        raise Conflict("a contact was verified meanwhile")
    await transaction.hooks.tell(account_hook("user.verified", account, now, {"contact": claim.contact.kind}))
    note = AuditNote(action="contact_verified", account=account, subject=claim.contact.kind)
    transaction.audit.note(note)
    if claim.contact.kind == "email":
        await transaction.waiting.end(account, ("verification",), now)
        await transaction.accounts.drop_wishes(EmailKey(claim.contact.value), account)
