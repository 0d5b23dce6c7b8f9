"""The audit at the page: the newest rows, of an account or of a kind, and its verification."""

from regserver.domain.account import AccountId
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.ports.audit_table import AuditFilter
from regserver.service.operator.audit import AuditBroken, AuditDesk
from regserver.service.operator.unit import OperatorCredential
from regserver.web.operator.act import ACTION_NAMES, ActTable, Done, PageAct, Values
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import PAGE_ROWS, audit_row, more_link
from regserver.web.operator.view import ButtonsBlock, Input, OperatorView, RowsBlock, SearchBlock


class AuditView:
    """A client of the use cases of the audit."""

    def __init__(self, audit: AuditDesk) -> None:
        self._audit = audit

    def acts(self) -> tuple[PageAct, ...]:
        """Its verification."""
        return (PageAct("verify_audit", Operation.READ_AUDIT, self._verify, back=lambda values: "audit"),)

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """Rows, the newest first."""
        t, action = asked.t, asked.query("action")
        account, before = parse_id(asked.query("account")), parse_id(asked.query("before"))
        wanted = AuditFilter(
            before=before,
            account=None if account is None else AccountId(account),
            action=action if action in ACTION_NAMES else None,
        )
        found = await self._audit.newest(asked.visit.who, wanted, PAGE_ROWS + 1)
        if isinstance(found, Refusal):
            return found
        shown = found[:PAGE_ROWS]
        more = None
        if len(found) > PAGE_ROWS:
            more = more_link("audit", t, account=account, action=action, before=shown[-1].number)
        kinds = (("", t.word["all"]), *((name, name) for name in sorted(ACTION_NAMES)))
        search = SearchBlock(
            t.word["search"],
            (
                Input("account", t.field["account"], "number", "" if account is None else str(account)),
                Input("action", t.field["action"], "select", action, options=kinds),
            ),
            t.word["search"],
        )
        rows = RowsBlock("", tuple(audit_row(row, t) for row in shown), t.word["nothing"], more)
        verify = ButtonsBlock("", (acts["verify_audit"].button(t),))
        return OperatorView(t.section["audit"], "audit", (search, verify, rows))

    async def _verify(self, who: OperatorCredential, values: Values) -> Done | Refusal:
        found = await self._audit.verify(who)
        if isinstance(found, AuditBroken):
            return Done("audit", f"✕ {found.detail}")
        return found if isinstance(found, Refusal) else Done("audit", f"✓ {found.rows}, {found.head}")
