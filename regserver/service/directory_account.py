"""Users of the directory as they become accounts: before the door's gate, and in the unit of work that writes them."""

from collections.abc import Sequence

import msgspec

from regserver.domain import directory as rules
from regserver.domain.account import AccountId, EmailKey, NewAccount
from regserver.domain.contact import Contact, Pepper, contact_of_email
from regserver.domain.outcome import (
    EmailTaken,
    InvitationRequired,
    RegistrationClosed,
    TooManyRequests,
    UsernameTaken,
)
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import add_account
from regserver.service.directory_policy import DirectoryParts
from regserver.service.sign_up_gate import GateEntry, Newcomer, Refused

DoorRefusal = rules.SignUpClosed | rules.SignUpNotInvited | TooManyRequests


class Allotted(msgspec.Struct, frozen=True):
    """The server of a user. server: None is this host. waits: whether the account was made, and waits for its approval."""

    server: str | None
    waits: bool = False


class NewUser(msgspec.Struct, frozen=True):
    """A user to be. email: verified, by a mail or by the trusted platform. entry: at the door's gate."""

    username: str
    email: str | None
    password_hash: str | None
    entry: GateEntry | None

    def __repr__(self) -> str:
        return "NewUser(…)"


def newcomer(pepper: Pepper, email: EmailKey | None, invitation: SecretHash | None, address: str) -> Newcomer:
    """The person before the gate. email: verified by the time of the account. address: the client's."""
    claim = None if email is None else pepper.claim(Contact("email", email), is_verified=True)
    return Newcomer(claim=claim, invitation=invitation, address=address)


async def add_user(
    transaction: Transaction, parts: DirectoryParts, servers: Sequence[str], user: NewUser
) -> tuple[AccountId, Allotted] | UsernameTaken | EmailTaken | Refused:
    """Adds an account on the server with fewest users; counts it in the same transaction."""
    claim = None
    if user.email is not None:
        claim = parts.pepper.claim(contact_of_email(user.email), is_verified=True)
        await transaction.lock(Lock.EMAIL, claim.key)
    server = None
    if servers:
        await transaction.lock(Lock.SERVERS)
        server = rules.least_used(servers, await transaction.directory.users(servers))
    new = NewAccount(
        username=user.username,
        origin="directory",
        created_at=parts.clock.now(),
        email=user.email,
        password_hash=user.password_hash,
        server=server,
        contact=claim,
    )
    added = await add_account(transaction, new, entry=user.entry)
    if isinstance(added, UsernameTaken | EmailTaken | Refused):
        return added
    if server is not None:
        await transaction.directory.add_user(server)
    made = await transaction.accounts.by_id(added)
    return added, Allotted(server, waits=made is not None and made.waits_for is not None)


def worded(refusal: Refused) -> DoorRefusal:
    """A refusal of the gate in the words of this door."""
    match refusal:
        case RegistrationClosed():
            return rules.SignUpClosed()
        case InvitationRequired():
            return rules.SignUpNotInvited()
        case TooManyRequests():
            return refusal
