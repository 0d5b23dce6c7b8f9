"""One-time codes for signing in: each is good for one account by one of its verified contacts, once, and for a while.

A contact that is nobody's gets a record too, with a code that no guess can be, so that a guess finds the same in either case.
"""

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.contact import CodeMac, ContactKey, NetworkKey
from regserver.domain.instant import Instant


class SignInCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code, without its digits.

    account_id: None where the contact is nobody's, or nothing could be sent to it. network: that asked for the code.
    own_tries: comparisons that are left for that network. other_tries: for all others together.
    sent: codes sent since one was entered. retry_at: when the next code may be sent.
    """

    contact: ContactKey
    account_id: AccountId | None
    mac: CodeMac
    network: NetworkKey
    own_tries: int
    other_tries: int
    sent: int
    retry_at: Instant
    expires_at: Instant

    def one_try_less(self, network: NetworkKey) -> "SignInCode | None":
        """The record after a guess from `network`; None when that has no try left."""
        if network == self.network:
            left = self.own_tries - 1
            return None if left < 0 else msgspec.structs.replace(self, own_tries=left)
        left = self.other_tries - 1
        return None if left < 0 else msgspec.structs.replace(self, other_tries=left)
