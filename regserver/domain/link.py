"""Links that are mailed, mostly to an account's person: each is good for one purpose, once, and for a while."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import DAY, HOUR, Duration, Instant

LinkPurpose = Literal["verify_email", "change_email", "undo_email", "recover", "approve"]
"""verify_email: proves that the account's person reads mail to its address. change_email: the same for a new address, which
then replaces the old one. undo_email: gives the account an address back that was replaced. recover: sets a new password.
approve: lets in an account that waits; it is mailed to the operator.
"""

LINK_LIFE: Mapping[LinkPurpose, Duration] = {
    "verify_email": DAY,
    "change_email": DAY,
    "undo_email": Duration(7 * DAY),
    "recover": HOUR,
    "approve": Duration(30 * DAY),
}
"""How long a link works. A new purpose is a line here. approve: unless signup.waiting_ttl differs."""


class AccountLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link, without its secret. email: the address that it is about; None where it is about none."""

    account: AccountId
    purpose: LinkPurpose
    email: str | None
    expires_at: Instant
