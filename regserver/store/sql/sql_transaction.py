"""All repositories on one connection, within one transaction."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from regserver.ports.audit_table import AuditPen
from regserver.ports.name_table import NameHash
from regserver.ports.store import T
from regserver.ports.transaction import Lock, LockKey, Transaction
from regserver.store.sql.account_rows import AccountRows
from regserver.store.sql.allowance_rows import AllowanceRows
from regserver.store.sql.audit_rows import AuditRows
from regserver.store.sql.block_rows import BlockRows
from regserver.store.sql.budget_rows import BudgetRows
from regserver.store.sql.code_rows import CodeRows
from regserver.store.sql.contact_rows import ContactRows
from regserver.store.sql.directory_rows import DirectoryRows
from regserver.store.sql.erasure_rows import ErasureRows
from regserver.store.sql.event_rows import EventRows
from regserver.store.sql.export_rows import ExportRows
from regserver.store.sql.factor_rows import FactorRows
from regserver.store.sql.future_rows import FutureRows
from regserver.store.sql.guess_rows import GuessRows
from regserver.store.sql.hook_rows import HookRows
from regserver.store.sql.idempotency_rows import IdempotencyRows
from regserver.store.sql.import_rows import ImportRows
from regserver.store.sql.invitation_rows import InvitationRows
from regserver.store.sql.journal_rows import JournalRows
from regserver.store.sql.link_rows import LinkRows
from regserver.store.sql.live_rows import LiveRows
from regserver.store.sql.name_rows import NameRows
from regserver.store.sql.network_rows import NetworkRows
from regserver.store.sql.node_rows import NodeRows
from regserver.store.sql.offer_rows import OfferRows
from regserver.store.sql.operator_rows import OperatorRows
from regserver.store.sql.outbox_rows import OutboxRows
from regserver.store.sql.passkey_rows import PasskeyRows
from regserver.store.sql.post_rows import PostRows
from regserver.store.sql.presence_rows import PresenceRows
from regserver.store.sql.push_rows import PushQueueRows, PushSubscriptionRows
from regserver.store.sql.registration_rows import RegistrationRows
from regserver.store.sql.reward_rows import RewardRows
from regserver.store.sql.room_rows import RoomRows
from regserver.store.sql.run_rows import RunRows
from regserver.store.sql.server_key_rows import ServerKeyRows
from regserver.store.sql.session_ending_rows import SessionEndingRows
from regserver.store.sql.sms_rows import SmsRows
from regserver.store.sql.solution_rows import SolutionRows
from regserver.store.sql.statement import Sql
from regserver.store.sql.submission_rows import SubmissionRows
from regserver.store.sql.token_rows import TokenRows
from regserver.store.sql.waiting_rows import WaitingRows

KEYLESS = AuditPen()


class SqlTransaction(Transaction):
    """The one implementation of regserver.ports.transaction.Transaction; a back end gives it its Sql.

    address: of the client that the next unit is run for, as `asked_from` has it where the unit was handed over.
    """

    def __init__(self, sql: Sql, hash_name: NameHash | None = None, pen: AuditPen = KEYLESS) -> None:
        self._sql = sql
        self.address: str | None = None
        self.accounts = AccountRows(sql)
        self.contacts = ContactRows(sql)
        self.links = LinkRows(sql)
        self.codes = CodeRows(sql)
        self.invitations = InvitationRows(sql)
        self.imports = ImportRows(sql)
        self.waiting = WaitingRows(sql)
        self.names = NameRows(sql, hash_name)
        self.erasures = ErasureRows(sql)
        self.exports = ExportRows(sql)
        self.futures = FutureRows(sql)
        self.tokens = TokenRows(sql)
        self.session_endings = SessionEndingRows(sql)
        self.guesses = GuessRows(sql)
        self.networks = NetworkRows(sql)
        self.factors = FactorRows(sql)
        self.passkeys = PasskeyRows(sql)
        self.rooms = RoomRows(sql)
        self.posts = PostRows(sql)
        self.allowances = AllowanceRows(sql)
        self.offers = OfferRows(sql)
        self.blocks = BlockRows(sql)
        self.events = EventRows(sql)
        self.hooks = HookRows(sql)
        self.presences = PresenceRows(sql)
        self.push_subscriptions = PushSubscriptionRows(sql)
        self.push_queue = PushQueueRows(sql)
        self._add_rest(sql, pen)

    def _add_rest(self, sql: Sql, pen: AuditPen) -> None:
        self.idempotency = IdempotencyRows(sql)
        self.outbox = OutboxRows(sql)
        self.directory = DirectoryRows(sql)
        self.registrations = RegistrationRows(sql)
        self.budgets = BudgetRows(sql)
        self.sms = SmsRows(sql)
        self.solutions = SolutionRows(sql)
        self.rewards = RewardRows(sql)
        self.journal = JournalRows(sql)
        self.submissions = SubmissionRows(sql)
        self.runs = RunRows(sql)
        self.live = LiveRows(sql)
        self.server_keys = ServerKeyRows(sql)
        self.nodes = NodeRows(sql)
        self.operators = OperatorRows(sql)
        self.audit = AuditRows(sql, pen)

    @property
    def concerns_others(self) -> bool:
        """Whether other processes are to hear of this unit at once."""
        return bool(self.events.appended) or self.session_endings.added or self.live.grown

    def lock(self, lock: Lock, *keys: LockKey) -> Coroutine[Any, Any, None]:
        """Returns the back end's coroutine, without one of its own: every post calls this."""
        return self._sql.lock(lock, *keys)

    async def run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs a unit of work, then writes the event of append_last and the notes of the audit."""
        self.begin()
        found = await work(self)
        if (last := self.events.last) is not None:
            await self.events.append(*last)
        if self.audit.is_noted:
            await self.audit.finish()
        return found

    def begin(self) -> None:
        """A unit begins, or is run again."""
        self.events.begin()
        self.audit.begin(self.address)
