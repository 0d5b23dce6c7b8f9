"""All repositories on one connection, for the length of one transaction."""

from regserver.store.sql.account import AccountRows, NameRows, TokenRows
from regserver.store.sql.directory import DirectoryRows
from regserver.store.sql.event import EventRows, RetryRows
from regserver.store.sql.live import RunRows
from regserver.store.sql.outbox import OutboxRows
from regserver.store.sql.room import PostRows, RoomRows
from regserver.store.sql.statement import Sql
from regserver.store.sql.steps import BudgetRows, JournalRows, RegistrationRows, RewardRows


class SqlTransaction:
    """The one implementation of regserver.ports.store.Transaction; a back end gives it its Sql."""

    __slots__ = (
        "accounts",
        "budgets",
        "directory",
        "events",
        "journal",
        "names",
        "outbox",
        "posts",
        "registrations",
        "retries",
        "rewards",
        "rooms",
        "runs",
        "tokens",
    )

    def __init__(self, sql: Sql) -> None:
        self.accounts = AccountRows(sql)
        self.names = NameRows(sql)
        self.tokens = TokenRows(sql)
        self.rooms = RoomRows(sql)
        self.posts = PostRows(sql)
        self.events = EventRows(sql)
        self.retries = RetryRows(sql)
        self.outbox = OutboxRows(sql)
        self.directory = DirectoryRows(sql)
        self.registrations = RegistrationRows(sql)
        self.budgets = BudgetRows(sql)
        self.rewards = RewardRows(sql)
        self.journal = JournalRows(sql)
        self.runs = RunRows(sql)
