"""The account, the same for all doors, and the rules of user names."""

import hmac
import re
import unicodedata
from typing import Literal, NewType

import msgspec

from regserver.domain.contact import ContactClaim
from regserver.domain.email import MAX_EMAIL_LENGTH
from regserver.domain.instant import Instant
from regserver.domain.invisible import has_invisible
from regserver.domain.sign_up_policy import BarReason, WaitReason

AccountId = NewType("AccountId", int)
NameKey = NewType("NameKey", str)
"""A user name as it is compared: NFKC and case-folded, so that look-alike spellings are one name."""
EmailKey = NewType("EmailKey", str)

AccountOrigin = Literal["live", "rooms", "steps", "directory", "operator", "service"]
"""The door by which the account was made."""

DELETED_USER = "deleted user"
"""The name that others see from the deletion of an account on."""

MAX_JSON_INTEGER = 2**53 - 1


class Account(msgspec.Struct, frozen=True):
    """One person's account. Columns of one door are None for accounts of another.

    email: a wish, unless email_verified_at says since when it is proved to be this person's. Accounts of the steps have
    a verified address that is not stored.
    ledger_name: 12 characters; the steps door calls it userId.
    server: the user's host, chosen by the directory; None is this host.
    subject: the source's id of this person.
    deleted_at: the account is closed, and can be restored for a while. erased_at: nothing is kept about its person.
    waits_for: None once the account can be used. suspended_at: since when the operator lets nobody in.
    """

    id: AccountId
    username: str
    email: str | None
    password_hash: str | None
    origin: AccountOrigin
    ledger_name: str | None
    server: str | None
    subject: str | None
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None
    email_verified_at: Instant | None
    erased_at: Instant | None = None
    waits_for: WaitReason | None = None
    suspended_at: Instant | None = None

    @property
    def is_usable(self) -> bool:
        """Whether others see it: it is not deleted, and does not wait."""
        return self.deleted_at is None and self.waits_for is None

    @property
    def barred_by(self) -> BarReason | None:
        """What has to happen before anybody can sign in with it; None where nothing has to."""
        return self.waits_for if self.suspended_at is None else "resumption"

    @property
    def verified_email(self) -> str | None:
        """The address to which mail about the account may go."""
        return None if self.email_verified_at is None else self.email


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account before it has a number. `created_at` becomes `updated_at` as well.

    contact: its address or phone number with its key; None where it has none. waits_for: see Account.
    """

    username: str
    origin: AccountOrigin
    created_at: Instant
    email: str | None = None
    password_hash: str | None = None
    ledger_name: str | None = None
    server: str | None = None
    subject: str | None = None
    contact: ContactClaim | None = None
    waits_for: WaitReason | None = None

    @property
    def email_verified_at(self) -> Instant | None:
        """See Account."""
        verified = (
            self.contact is not None and self.contact.is_verified and self.contact.contact.kind == "email"
        )
        return self.created_at if verified else None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The person's names, from the source of live registration."""

    first_name: str
    middle_name: str | None
    last_name: str


def name_key(username: str) -> NameKey:
    """The name as it is compared and stored for look-up (Unicode UAX #31: NFKC before and after case folding)."""
    return NameKey(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold()))


def erased_name(secret: bytes, key: NameKey) -> NameKey:
    """What is kept of the name of an erased account, so that nobody gets it again. secret: the server's, for names alone."""
    return NameKey(f"erased:{hmac.digest(secret, key.encode('utf-8', 'surrogatepass'), 'sha256').hex()}")


def email_key(email: str) -> EmailKey:
    """The address as it is compared."""
    return EmailKey(name_key(email))


_ROOMS_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{1,30}[A-Za-z0-9])", re.ASCII)


def is_rooms_username(username: str) -> bool:
    """3 to 32 ASCII letters, digits, dots, underscores or hyphens, beginning and ending with a letter or digit."""
    return _ROOMS_USERNAME.fullmatch(username) is not None


def is_sign_in_name(username: str) -> bool:
    """Whether a name may be looked up at sign-in. Doors differ in their rules, so only length and what nobody sees count."""
    unseen = has_control_character(username) or has_invisible(username)
    return 0 < len(username) <= MAX_EMAIL_LENGTH and not unseen


def has_control_character(text: str) -> bool:
    """Whether the text has a control character or a lone surrogate."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
