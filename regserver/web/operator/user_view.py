"""Accounts at the page: looked for, one of them, those that wait."""

from regserver.domain.account import Account, AccountId
from regserver.domain.operator_key import Operation
from regserver.domain.outcome import Refusal
from regserver.domain.room import parse_id
from regserver.domain.session import AccountSession
from regserver.ports.audit_table import AuditFilter
from regserver.service.operator.audit import AuditDesk
from regserver.service.operator.user import UserDesk
from regserver.web.operator.act import ActTable
from regserver.web.operator.guarded import Asked
from regserver.web.operator.said import (
    PAGE_ROWS,
    account_marks,
    account_row,
    audit_row,
    more_link,
    when,
)
from regserver.web.operator.view import (
    Button,
    ButtonsBlock,
    FactsBlock,
    Input,
    ListRow,
    OperatorView,
    PageLink,
    RowsBlock,
    SearchBlock,
    ViewBlock,
)

MOST_WAITING = 500
HELPS = ("rename_user", "reset_link", "end_sessions", "forget_guesses")


class UserView:
    """A client of the use cases of accounts and of the audit."""

    def __init__(self, users: UserDesk, audit: AuditDesk) -> None:
        self._users = users
        self._audit = audit

    async def page(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """Accounts in the order of their numbers, or those that a text is found in."""
        t, text, after = asked.t, asked.query("text"), parse_id(asked.query("after")) or 0
        found = await self._users.list(asked.visit.who, text, AccountId(after), PAGE_ROWS + 1)
        if isinstance(found, Refusal):
            return found
        shown = found[:PAGE_ROWS]
        more = more_link("users", t, text=text, after=shown[-1].id) if len(found) > PAGE_ROWS else None
        rows = RowsBlock("", tuple(account_row(each, t) for each in shown), t.word["nothing"], more)
        search = SearchBlock(
            t.word["search"], (Input("text", t.field["text"], value=text),), t.word["search"]
        )
        blocks: tuple[ViewBlock, ...] = (search, rows)
        if asked.visit.may(Operation.CHANGE_USERS):
            blocks = (search, ButtonsBlock("", (acts["make_user"].button(t),)), rows)
        return OperatorView(t.section["users"], "users", blocks)

    async def waiting(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """Accounts that wait, the longest first."""
        t, found = asked.t, await self._users.waiting(asked.visit.who, MOST_WAITING)
        if isinstance(found, Refusal):
            return found
        rows = tuple(self._waiting_row(asked, acts, each) for each in found)
        return OperatorView(t.section["waiting"], "waiting", (RowsBlock("", rows, t.word["nothing"]),))

    def _waiting_row(self, asked: Asked, acts: ActTable, account: Account) -> ListRow:
        row = account_row(account, asked.t)
        buttons = _offered(asked, acts, ("approve_user", "reject_user"), account.username, back="waiting")
        return ListRow(row.title, row.href, row.facts, row.marks, buttons)

    async def one(self, asked: Asked, acts: ActTable) -> OperatorView | Refusal:
        """One account, with what can be done with it."""
        t, name, who = asked.t, asked.query("name"), asked.visit.who
        found = await self._users.show(who, name)
        if isinstance(found, Refusal):
            return found
        account = found.account
        sessions = await self._users.sessions(who, name)
        history = await self._audit.newest(who, AuditFilter(account=account.id), PAGE_ROWS)
        if isinstance(sessions, Refusal):
            return sessions
        if isinstance(history, Refusal):
            return history
        rooms = tuple(ListRow(f"{t.fact['number']} {room}", f"rooms/{room}") for room in found.rooms)
        rows = tuple(self._session_row(asked, acts, account, each) for each in sessions)
        more = more_link("audit", t, account=account.id) if len(history) == PAGE_ROWS else None
        done = tuple(audit_row(row, t) for row in history)
        blocks = (
            FactsBlock("", _facts(account, asked), self._buttons(asked, acts, account)),
            RowsBlock(t.word["sessions"], rows, t.word["nothing"]),
            RowsBlock(t.word["rooms"], rooms, t.word["nothing"]),
            RowsBlock(t.word["history"], done, t.word["nothing"], more),
        )
        return OperatorView(account.username, "users", blocks, back=PageLink("users", t.section["users"]))

    def _session_row(
        self, asked: Asked, acts: ActTable, account: Account, session: AccountSession
    ) -> ListRow:
        t = asked.t
        facts = (
            session.network or t.word["everywhere"],
            f"{t.fact['used']} {when(session.last_used_at, t)}",
            f"{t.fact['expires']} {when(session.expires_at, t)}",
        )
        buttons = tuple[Button, ...]()
        if asked.visit.may(Operation.HELP_USERS):
            title = session.name or session.agent
            values = {"user": account.username, "session": str(session.id)}
            buttons = (acts["end_session"].button(t, title, **values),)
        return ListRow(session.name or session.agent or "–", facts=facts, buttons=buttons)

    def _buttons(self, asked: Asked, acts: ActTable, account: Account) -> tuple[Button, ...]:
        if account.deleted_at is not None:
            names: tuple[str, ...] = () if account.erased_at is not None else ("restore_user",)
        else:
            suspends = "suspend_user" if account.suspended_at is None else "resume_user"
            decides = () if account.waits_for is None else ("approve_user", "reject_user")
            names = (*decides, *HELPS, "set_password", suspends, "delete_user")
        return _offered(asked, acts, names, account.username)


def _offered(
    asked: Asked, acts: ActTable, names: tuple[str, ...], username: str, back: str = ""
) -> tuple[Button, ...]:
    """The acts that the visitor's role may do. back: where they lead, if not to the account."""
    values = {"user": username, **({"to": back} if back else {})}
    found = [act for act in map(acts.find, names) if act is not None and asked.visit.may(act.operation)]
    return tuple(act.button(asked.t, username, **values) for act in found)


def _facts(account: Account, asked: Asked) -> tuple[tuple[str, str], ...]:
    t = asked.t
    verified = t.state["verified" if account.email_verified_at is not None else "unverified"]
    facts = {
        "number": str(account.id),
        "email": "–" if account.email is None else f"{account.email} ({verified})",
        "door": account.origin,
        "password": t.fact["noPassword" if account.password_hash is None else "hasPassword"],
        "state": ", ".join(account_marks(account, t)),
        "ledger": account.ledger_name or "",
        "server": account.server or "",
        "created": when(account.created_at, t),
        "suspended": "" if account.suspended_at is None else when(account.suspended_at, t),
        "deleted": "" if account.deleted_at is None else when(account.deleted_at, t),
    }
    return tuple((t.fact[name], value) for name, value in facts.items() if value)
