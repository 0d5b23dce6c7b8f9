"""A unit of work over the tables.

A unit of work is an async function of one argument, the transaction. It may await nothing but that transaction's own
methods: an embedded store runs it to its end in a database thread, a networked one on the event loop, and either may
run it again after a conflict. So it must not touch anything outside, and it returns what it found.
"""

from typing import Protocol

from regserver.ports.account_table import AccountTable
from regserver.ports.budget_table import BudgetTable
from regserver.ports.directory_table import DirectoryTable
from regserver.ports.event_table import EventTable
from regserver.ports.idempotency_table import IdempotencyTable
from regserver.ports.journal_table import JournalTable
from regserver.ports.name_table import NameTable
from regserver.ports.outbox_table import OutboxTable
from regserver.ports.post_table import PostTable
from regserver.ports.registration_table import RegistrationTable
from regserver.ports.reward_table import RewardTable
from regserver.ports.room_table import RoomTable
from regserver.ports.run_table import RunTable
from regserver.ports.submission_table import SubmissionTable
from regserver.ports.token_table import TokenTable


class Transaction(Protocol):
    """One atomic unit of work on a consistent snapshot."""

    @property
    def accounts(self) -> AccountTable: ...
    @property
    def names(self) -> NameTable: ...
    @property
    def tokens(self) -> TokenTable: ...
    @property
    def rooms(self) -> RoomTable: ...
    @property
    def posts(self) -> PostTable: ...
    @property
    def events(self) -> EventTable: ...
    @property
    def idempotency(self) -> IdempotencyTable: ...
    @property
    def outbox(self) -> OutboxTable: ...
    @property
    def directory(self) -> DirectoryTable: ...
    @property
    def registrations(self) -> RegistrationTable: ...
    @property
    def budgets(self) -> BudgetTable: ...
    @property
    def rewards(self) -> RewardTable: ...
    @property
    def journal(self) -> JournalTable: ...
    @property
    def submissions(self) -> SubmissionTable: ...
    @property
    def runs(self) -> RunTable: ...
