"""Carries out the table of what ends what, `regserver.domain.ending`: the one place where sessions, links and codes end.

    ended = await end_outstanding(transaction, event, account, session)      in the unit of work of the change
    close_sockets_nowait(broker, ended)                                      after its commit

Sockets may be open at other nodes too, and a command of the operator's has none: whoever serves on the store reads what has
ended, and closes its own sockets (SessionUpkeep).
"""

from collections.abc import Mapping

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.audit import EVENT_ACTIONS, AuditNote
from regserver.domain.ending import WHAT_ENDS_WHAT, AccountEvent, Fate, Outstanding
from regserver.domain.link import LinkPurpose
from regserver.domain.outcome import BadToken
from regserver.domain.secret import SecretHash
from regserver.ports.broker import Broker
from regserver.ports.transaction import Transaction

LINKS: Mapping[Outstanding, tuple[LinkPurpose, ...]] = {
    Outstanding.RECOVERY_LINKS: ("recover",),
    Outstanding.EMAIL_LINKS: ("verify_email", "change_email"),
    Outstanding.UNDO_LINKS: ("undo_email",),
    Outstanding.APPROVAL_LINKS: ("approve",),
}
"""The purposes of mailed links that are one outstanding thing."""


class EndedSessions(msgspec.Struct, frozen=True):
    """What ended in a unit of work. tokens: those of the ended sessions, whose sockets are still open."""

    account: AccountId
    tokens: frozenset[SecretHash]


async def end_outstanding(
    transaction: Transaction, event: AccountEvent, account: AccountId, session: SecretHash | None
) -> EndedSessions:
    """Ends what the event ends, and notes it in the audit. session: the token of the session that the event is about; None where there is none.

    The caller holds Lock.ACCOUNT, or a session could open what outlives it meanwhile.
    Tickets and push subscriptions end with their session, by the store's foreign key. Of things whose later ones end, the caller ends them.
    """
    transaction.audit.note(AuditNote(action=EVENT_ACTIONS[event], account=account))
    fates = WHAT_ENDS_WHAT[event]
    await transaction.session_endings.add(account)
    for thing, purposes in LINKS.items():
        if fates[thing] is Fate.ENDED:
            await transaction.links.remove_all(account, purposes)
    if fates[Outstanding.CODES] is Fate.ENDED:
        await transaction.codes.remove_all(account)
    if fates[Outstanding.FACTOR_TICKETS] is Fate.ENDED:
        await transaction.factors.end_tickets(account)
    kinds = (Outstanding.ITS_SESSION, Outstanding.OTHER_SESSIONS, Outstanding.NAMED_TOKENS)
    own, others, named = (fates[kind] is Fate.ENDED for kind in kinds)
    if not (own or others or named):
        return EndedSessions(account, frozenset())
    tokens = await transaction.tokens.remove(account, session, own=own, others=others, named=named)
    return EndedSessions(account, frozenset(tokens))


def close_sockets_nowait(broker: Broker, ended: EndedSessions) -> None:
    """Closes the sockets of the ended sessions; those of other sessions stay."""
    if ended.tokens:
        broker.end_tokens_nowait(ended.account, ended.tokens, BadToken())
