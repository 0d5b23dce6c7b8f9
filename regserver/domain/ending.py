"""What ends what: for each change of an account, what becomes of all that was given out before it.

The table is carried out by regserver.service.account_ending, and tested whole on a running server. A new event is a row, a
new thing a column, and the table does not load until both are filled.

Why it is as it is: whoever changes a password or recovers an account may do so because somebody else got in, so all that
such a person could have made for later ends with it: sessions, named tokens, links and codes. Only the links that undo a
change of the e-mail address stay: they are what an owner has against a person who changed address and password. Of
these the earlier one wins: whoever undoes a change undoes all that came after it, and no later change can be used against
the first owner. What is the operator's, and sign-ups that belong to no account yet, stay; a link about an account ends
with it.
"""

import enum
from collections.abc import Mapping


class AccountEvent(enum.Enum):
    """A change after which something may have to end."""

    SESSION_ENDED = "one session is signed out, or ended from the list of sessions or by the operator"
    SIGNED_OUT_EVERYWHERE = "its person, or the operator, ends all sessions"
    PASSWORD_CHANGED = "the password is changed with the old one"  # noqa: S105
    PASSWORD_CHANGED_AT_SOURCE = "a password that was changed at the data source is used for the first time"  # noqa: S105
    RECOVERED = "a new password is set by a link or by the operator"
    EMAIL_CHANGED = "a new address is verified in place of the old one"
    EMAIL_UNDONE = "a change of the address is undone by the link that was mailed to the old one"
    FACTOR_CHANGED = "a second factor or a passkey is added or removed"
    SUSPENDED = "the operator suspends the account"
    DELETED = "the account is deleted"
    RESTORED = "a deleted account is brought back"


class Outstanding(enum.Enum):
    """What was given out for an account, and is good for something until it ends."""

    ITS_SESSION = "the session that the event is about: the one that asks for the change, or that was chosen"
    OTHER_SESSIONS = "all other sessions by sign-in"
    NAMED_TOKENS = "tokens for programs"
    SOCKETS = "WebSockets"
    TICKETS = "tickets that open a WebSocket"
    PUSH = "subscriptions to Web Push"
    FACTOR_TICKETS = "tickets that ask for a second factor"
    RECOVERY_LINKS = "links that set a new password"
    EMAIL_LINKS = "links that verify an address"
    UNDO_LINKS = "links that undo a change of the address"
    CODES = "one-time codes for signing in"
    APPROVAL_LINKS = "links with which the operator approves an account that waits"
    INVITATIONS = "invitations, which are the operator's"
    REGISTRATIONS = "sign-ups under way, at whatever door"
    RESTORE = "the right to bring the account back"


class Fate(enum.Enum):
    """What becomes of an outstanding thing. DENIED: it stays known, but every use is answered with the account's state."""

    ENDED = "ended"
    KEPT = "kept"
    DENIED = "denied"
    WITH_SESSION = "as its session"
    LATER_ENDED = "those of later changes ended"


_FATES = {"e": Fate.ENDED, "k": Fate.KEPT, "d": Fate.DENIED, "s": Fate.WITH_SESSION, "l": Fate.LATER_ENDED}

# In the order of Outstanding: its session, other sessions, named tokens; sockets, tickets, push, tickets that ask for a factor; recovery, e-mail and undo
# links, codes; approval links, invitations, registrations, restore.
_ROWS = {
    AccountEvent.SESSION_ENDED: "ekk sssk kkkk kkkk",
    AccountEvent.SIGNED_OUT_EVERYWHERE: "eee ssse kkkk kkkk",
    AccountEvent.PASSWORD_CHANGED: "kee ssse eeke kkkk",
    AccountEvent.PASSWORD_CHANGED_AT_SOURCE: "kee ssse eeke kkkk",
    AccountEvent.RECOVERED: "kee ssse eeke kkkk",
    AccountEvent.EMAIL_CHANGED: "kkk ssse eeke kkkk",
    AccountEvent.EMAIL_UNDONE: "eee ssse eele kkkk",
    AccountEvent.FACTOR_CHANGED: "kek ssse ekke kkkk",
    AccountEvent.SUSPENDED: "ddd esse eeee ekkk",
    AccountEvent.DELETED: "ddd essd eeee ekkk",
    AccountEvent.RESTORED: "kee ssse eeee ekke",
}

WHAT_ENDS_WHAT: Mapping[AccountEvent, Mapping[Outstanding, Fate]] = {
    event: dict(zip(Outstanding, map(_FATES.__getitem__, row.replace(" ", "")), strict=True))
    for event, row in _ROWS.items()
}
"""The fate of each outstanding thing at each event."""

assert set(WHAT_ENDS_WHAT) == set(AccountEvent)  # noqa: S101  (the table is complete)
