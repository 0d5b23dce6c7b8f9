"""How many mails anybody can have sent to an address: the same few, whatever the door that is asked to send them.

Whoever writes the mail spends from these budgets in the transaction that puts it into the outbox, so they are exact, over
all nodes and restarts, and no limit that is switched off changes them.
"""

from regserver.domain.contact import ContactKey, Pepper
from regserver.domain.instant import DAY, HOUR
from regserver.ports.budget_table import Budget

HOURLY_MAILS = 3
DAILY_MAILS = 10
"""Mails to one address in 24 hours, beginning with the first."""


def mail_budgets(pepper: Pepper, address: ContactKey) -> tuple[Budget, ...]:
    """The budgets of an address, for BudgetTable.spend. address: the key of the contact."""
    return (
        Budget(pepper.budget_key("mails an hour", address), HOURLY_MAILS, HOUR),
        Budget(pepper.budget_key("mails a day", address), DAILY_MAILS, DAY),
    )
