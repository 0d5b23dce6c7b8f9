"""The outbox as operators see it: who waits for what, never the text, whose links and codes are not theirs to use."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec
import trio

from regserver.domain.audit import AuditNote
from regserver.domain.email import is_email
from regserver.domain.finding import Finding
from regserver.domain.instant import Instant
from regserver.domain.operator_key import Operation
from regserver.domain.operator_outcome import NoMailServer
from regserver.domain.outcome import BadEmail, Refusal
from regserver.ports.mailer import Mail
from regserver.ports.outbox_table import OutboxId, OutboxMessage
from regserver.ports.transaction import Transaction
from regserver.service.operator.unit import Denied, OperatorCredential, OperatorUnit
from regserver.service.outbox import Outbox

MOST_MAILS = 1000
MailState = Literal["waiting", "failed"]
"""failed: set aside after the last attempt, until somebody sends it again."""
MailProbe = Callable[[Mail], Iterable[Finding]]
"""Sends a message step by step, in a thread: one finding for each step."""


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

    async def list(
        self, who: OperatorCredential, state: MailState | None = None
    ) -> tuple[WaitingMail, ...] | Denied:
        """Those that are set aside first. state: only these. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> tuple[WaitingMail, ...]:
            found = await transaction.outbox.list(MOST_MAILS)
            return tuple(self._opened(each) for each in found if state in {None, _state(each)})

        return await self._unit.read(who, Operation.READ_MAIL, act)

    async def retry(self, who: OperatorCredential, messages: Sequence[OutboxId] | None) -> int | Denied:
        """Sends messages again, all with None, at once; how many. Raises StoreFault."""

        async def act(transaction: Transaction, now: Instant) -> int:
            count = await transaction.outbox.requeue(messages, now)
            if count:
                transaction.audit.note(AuditNote(action="mail_sent_again", subject=f"{count} messages"))
            return count

        return await self._unit.write(who, Operation.CHANGE_MAIL, act)

    async def test(
        self, who: OperatorCredential, to: str, probe: MailProbe | None
    ) -> tuple[Finding, ...] | Denied | BadEmail | NoMailServer:
        """Sends a message to an address, now and beside the outbox. probe: None without a mail server. Raises StoreFault."""
        if not is_email(to):
            return BadEmail()
        if probe is None:
            return NoMailServer()
        mail = await self.begin_test(who, to)
        if isinstance(mail, Refusal):
            return mail
        return await trio.to_thread.run_sync(lambda: tuple(probe(mail)), abandon_on_cancel=True)

    async def begin_test(self, who: OperatorCredential, to: str) -> Mail | Denied:
        """The message that is sent for trying, and its row in the audit. Raises StoreFault."""

        async def act(transaction: Transaction, _now: Instant) -> None:
            transaction.audit.note(AuditNote(action="mail_tested"))

        refusal = await self._unit.write(who, Operation.CHANGE_MAIL, act)
        return self._outbox.trial(to) if refusal is None else refusal

    def _opened(self, message: OutboxMessage) -> WaitingMail:
        mail = self._outbox.open(message.sealed)
        return WaitingMail(message, None if mail is None else mail.to, None if mail is None else mail.subject)


def _state(message: OutboxMessage) -> MailState:
    return "waiting" if message.parked_at is None else "failed"
