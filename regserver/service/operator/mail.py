"""The outbox as operators see it: who waits for what, never the text, whose links and codes are not theirs to use."""

from collections.abc import Sequence

import msgspec

from regserver.domain.audit import AuditNote
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.ports.outbox_table import OutboxId, OutboxMessage
from regserver.ports.transaction import Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.outbox import Outbox

MOST_MAILS = 1000


class WaitingMail(msgspec.Struct, frozen=True):
    """A message that waits or is set aside. to, subject: None where it is sealed with another key."""

    message: OutboxMessage
    to: str | None
    subject: str | None


class MailDesk:
    """The use cases of the outbox."""

    def __init__(self, unit: OperatorUnit, outbox: Outbox) -> None:
        self._unit = unit
        self._outbox = outbox

    async def list(self, who: OperatorCredential) -> tuple[WaitingMail, ...] | Denied:
        """Those that are set aside first. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[WaitingMail, ...]:
            return tuple(map(self._opened, await transaction.outbox.list(MOST_MAILS)))

        return await self._unit.read(who, Operation.READ_MAIL, act)

    async def retry(self, who: OperatorCredential, messages: Sequence[OutboxId] | None) -> int | Denied:
        """Sends messages again, all with None, at once; how many. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> int:
            count = await transaction.outbox.requeue(messages, now)
            if count:
                transaction.audit.note(AuditNote(action="mail_sent_again", subject=f"{count} messages"))
            return count

        return await self._unit.write(who, Operation.CHANGE_MAIL, act)

    def _opened(self, message: OutboxMessage) -> WaitingMail:
        mail = self._outbox.open(message.sealed)
        return WaitingMail(message, None if mail is None else mail.to, None if mail is None else mail.subject)
