"""How accounts, times and rows of the audit are said at the page."""

import urllib.parse

from regserver.domain.account import Account
from regserver.domain.audit import DONE, AuditRow
from regserver.domain.instant import Instant, iso_seconds
from regserver.text import OperatorText
from regserver.web.operator.view import ListRow, PageLink

PAGE_ROWS = 50


def when(at: Instant | None, t: OperatorText) -> str:
    """A time, to the minute."""
    return t.word["never"] if at is None else f"{iso_seconds(at)[:16].replace('T', ' ')} UTC"


def account_marks(account: Account, t: OperatorText) -> tuple[str, ...]:
    """The states that stand out."""
    marks = {
        "suspended": account.suspended_at is not None,
        "deleted": account.deleted_at is not None,
        "approval": account.waits_for == "approval",
        "verification": account.waits_for == "verification",
    }
    return tuple(t.state[name] for name, holds in marks.items() if holds)


def user_address(username: str) -> str:
    """The page of an account. It is named by user name, which is looked up before numbers are."""
    return f"user?name={urllib.parse.quote(username, safe='')}"


def account_row(account: Account, t: OperatorText) -> ListRow:
    """An account in a list."""
    facts = (
        account.email or "–",
        account.origin,
        f"{t.fact['created']} {when(account.created_at, t)}",
    )
    return ListRow(account.username, user_address(account.username), facts, account_marks(account, t))


def audit_row(row: AuditRow, t: OperatorText) -> ListRow:
    """A row of the audit: what was done, by whom, with what, from where."""
    subject = row.subject or ("" if row.account_id is None else f"{t.fact['number']} {row.account_id}")
    facts = (f"#{row.number}", when(row.at, t), row.actor, subject, row.network)
    href = "" if row.account_id is None else f"audit?account={row.account_id}"
    marks = () if row.outcome == DONE else (row.outcome,)
    return ListRow(row.action, href, tuple(filter(None, facts)), marks)


def more_link(page: str, t: OperatorText, **query: object) -> PageLink:
    """The way to the rows behind these."""
    given = {name: value for name, value in query.items() if value not in ("", None)}
    return PageLink(f"{page}?{urllib.parse.urlencode(given)}", t.word["more"])
