"""The password that an account has here: whether it has one, which new ones are taken, and the mail about a change."""

from regserver.domain.account import Account
from regserver.domain.password import is_rooms_password
from regserver.ports.mail_template import MailTemplates
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.transaction import Transaction
from regserver.service.outbox import Outbox

DUPLICATE_SOURCE = "duplicate:"
"""How the source of an account begins that has its own password, since the source's person has another account."""


async def has_own_password(transaction: Transaction, account: Account) -> bool:
    """Whether the account's password is kept here, and not at the data source that knows its person."""
    if account.subject is None:
        return True
    link = await transaction.accounts.source_link(account.id)
    return link is None or link.source.startswith(DUPLICATE_SOURCE)


def is_new_password(hasher: PasswordHasher, password: str, account: Account) -> bool:
    """Whether the account may have it: long enough, no common one, and neither its name nor its address."""
    own = account.username, account.email or ""
    return is_rooms_password(password) and not hasher.is_guessable(password, *own)


async def tell_password_changed(
    transaction: Transaction, account: Account, mail_templates: MailTemplates, outbox: Outbox
) -> None:
    """Mails the owner, where there is a verified address."""
    if (address := account.verified_email) is not None:
        language = await transaction.networks.language(account.id) or ""
        mail = mail_templates.write("password_changed", language, address, {"username": account.username})
        await outbox.enqueue(transaction, mail)
