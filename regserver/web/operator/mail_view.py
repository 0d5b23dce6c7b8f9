"""The outbox at the page: who waits for what, and sending it again. Texts are not shown: their links and codes are not the operator's."""

from collections.abc import Callable

from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.ports.outbox_table import OutboxId
from regserver.service.operator.mail import MailDesk, MailProbe, WaitingMail
from regserver.service.operator.unit import OperatorCredential
from regserver.web.operator.act import ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import when
from regserver.web.operator.view import Button, ButtonsBlock, ListRow, OperatorView, RowsBlock


class MailView:
    """A client of the use cases of the outbox."""

    def __init__(self, mail: MailDesk, probe: Callable[[], MailProbe | None]) -> None:
        """probe: sends a message for trying; None without a mail server."""
        self._mail = mail
        self._probe = probe

    def acts(self) -> tuple[PageAct, ...]:
        """Sending again."""
        change = Operation.CHANGE_MAIL
        return (
            PageAct("retry_mail", change, self._retry, ("mail",), back=_back),
            PageAct("retry_all_mail", change, self._retry_all, back=_back),
            PageAct("test_mail", change, self._test, ("address",), back=_back),
        )

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """Messages, those that are set aside first."""
        t, found = asked.t, await self._mail.list(asked.visit.who)
        if isinstance(found, Refusal):
            return found
        rows = RowsBlock("", tuple(self._row(asked, acts, each) for each in found), t.word["nothing"])
        names = ("test_mail", "retry_all_mail") if found else ("test_mail",)
        again = ButtonsBlock("", tuple(acts[name].button(t) for name in names))
        may = asked.visit.may(Operation.CHANGE_MAIL)
        return OperatorView(t.section["mail"], "mail", (again, rows) if may else (rows,))

    def _row(self, asked: Asked, acts: ActTable, mail: WaitingMail) -> ListRow:
        t, row, buttons = asked.t, mail.message, tuple[Button, ...]()
        if asked.visit.may(Operation.CHANGE_MAIL):
            buttons = (acts["retry_mail"].button(t, mail.to or str(row.id), mail=str(row.id)),)
        is_parked = row.parked_at is not None
        facts = (
            mail.subject or "",
            f"{t.fact['created']} {when(row.created_at, t)}",
            t.word["tries"].replace("{count}", str(row.attempts)),
            "" if is_parked else f"{t.fact['due']} {when(row.due_at, t)}",
            row.fault or "",
        )
        mark = t.state["parked" if is_parked else "waits"]
        return ListRow(mail.to or t.word["foreign"], "", tuple(filter(None, facts)), (mark,), buttons)

    async def _retry(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        count = await self._mail.retry(who, (OutboxId(parse_id(values["mail"]) or 0),))
        return count if isinstance(count, Refusal) else Done("mail", str(count))

    async def _retry_all(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        count = await self._mail.retry(who, None)
        return count if isinstance(count, Refusal) else Done("mail", str(count))

    async def _test(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await self._mail.test(who, values["address"], self._probe())
        if isinstance(found, Refusal):
            return found
        failed = [each.text for each in found if each.level == "fail"]
        return Done("mail", f"{values['address']}: {failed[0]}" if failed else values["address"])


def _back(values: Values) -> str:
    return "mail"
