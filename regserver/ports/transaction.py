"""A unit of work: one transaction over all tables, and its isolation.

A unit of work is an async function of one argument, the transaction. It awaits nothing but that transaction's methods, has
no effect outside it, and returns its result. An embedded store runs it to its end in a database thread, a networked one
on the event loop, and either may run it again.

**Isolation.** A reading unit sees one snapshot. Of writing units, SQLite runs one after another; PostgreSQL runs them
side by side at READ COMMITTED, where each statement sees what was committed before that statement began. A write that
depends on a read must therefore do one of two things:

    1. take the `Lock` that guards the rows before they are read            await transaction.lock(Lock.ROOM, room)
    2. read and write in one statement; the methods that do so say "atomic"

A lock is held until the unit ends. On SQLite it does nothing; on PostgreSQL it is an advisory lock.

**Conflict.** When two units still collide (on a unique key, by a deadlock or a serialization failure), one of them is
rolled back by `Conflict` and run again from its beginning, a bounded number of times. Then the caller gets StoreFault.
"""

from enum import IntEnum
from typing import Protocol

from regserver.ports.account_table import AccountTable
from regserver.ports.allowance_table import AllowanceTable
from regserver.ports.audit_table import AuditTable
from regserver.ports.block_table import BlockTable
from regserver.ports.budget_table import BudgetTable
from regserver.ports.code_table import CodeTable
from regserver.ports.contact_table import ContactTable
from regserver.ports.directory_table import DirectoryTable
from regserver.ports.erasure_table import ErasureTable
from regserver.ports.event_table import EventTable
from regserver.ports.export_table import ExportTable
from regserver.ports.factor_table import FactorTable
from regserver.ports.future_table import FutureTable
from regserver.ports.guess_table import GuessTable
from regserver.ports.hook_table import HookTable
from regserver.ports.idempotency_table import IdempotencyTable
from regserver.ports.import_table import ImportTable
from regserver.ports.invitation_table import InvitationTable
from regserver.ports.journal_table import JournalTable
from regserver.ports.link_table import LinkTable
from regserver.ports.live_table import LiveTable
from regserver.ports.name_table import NameTable
from regserver.ports.network_table import NetworkTable
from regserver.ports.node_table import NodeTable
from regserver.ports.offer_table import OfferTable
from regserver.ports.operator_table import OperatorTable
from regserver.ports.outbox_table import OutboxTable
from regserver.ports.passkey_table import PasskeyTable
from regserver.ports.post_table import PostTable
from regserver.ports.presence_table import PresenceTable
from regserver.ports.push_queue_table import PushQueueTable
from regserver.ports.push_subscription_table import PushSubscriptionTable
from regserver.ports.registration_table import RegistrationTable
from regserver.ports.reward_table import RewardTable
from regserver.ports.room_table import RoomTable
from regserver.ports.run_table import RunTable
from regserver.ports.server_key_table import ServerKeyTable
from regserver.ports.session_ending_table import SessionEndingTable
from regserver.ports.sms_table import SmsTable
from regserver.ports.solution_table import SolutionTable
from regserver.ports.submission_table import SubmissionTable
from regserver.ports.token_table import TokenTable
from regserver.ports.waiting_table import WaitingTable

LockKey = int | str | bytes


class Lock(IntEnum):
    """The locks, in the order in which a unit must take them, so that no two units wait for each other.

    A unit takes each lock once, with all its keys at once; a lock without a key guards a whole table. A store may let
    several keys share one lock of its own, so that a unit with thousands of keys holds a bounded number.
    """

    CONTACT = 1
    """Key: LookupKey. The contact's registration by steps: its state, its code and the code's tries; its code for signing in."""

    EMAIL = 2
    """Key: ContactKey. Whose the address is, who wishes for it, and the creations of the directory that wait for it."""

    SERVERS = 3
    """No key. The number of users of each server of the directory."""

    NAME = 4
    """Key: NameKey. Whether the name is free, until the account that takes it is written."""

    ACCOUNT = 5
    """Key: AccountId. That the account is not deleted, that a password or token is still its own while it opens a session,
    its second factor, the rooms it is brought into, and its rewards.
    """

    ROOM = 6
    """Key: RoomId. The room with its members and the ordinals of its posts."""

    SMS = 7
    """Key: Country. Whether its share of entered codes lets it get further ones."""

    BUDGET = 8
    """Key: BudgetKey. The uses of a budget."""

    LIVE = 9
    """No key. How many live registrations run on all nodes."""

    JOURNAL = 10
    """No key. The last entry of the ledger's journal, which the next one continues."""

    LOG = 11
    """No key. The end of the event log: under it ids become visible in order, so that a cursor misses nothing."""

    AUDIT = 12
    """No key. The end of the audit, which is written as the last thing of a unit."""


class Conflict(Exception):
    """Another unit of work was first. Raised within a unit, it makes the store run the unit again."""


class Transaction(Protocol):
    """All tables, within one unit of work."""

    accounts: AccountTable
    """Accounts and profiles."""
    contacts: ContactTable
    """Verified addresses and phone numbers."""
    links: LinkTable
    """Links that were mailed to accounts."""
    codes: CodeTable
    """One-time codes for signing in."""
    invitations: InvitationTable
    """Invitations to sign up."""
    imports: ImportTable
    """People who were brought along."""
    waiting: WaitingTable
    """Accounts that wait."""
    names: NameTable
    """User names and reservations."""
    erasures: ErasureTable
    """The erasure of what is kept about a person, in all tables."""
    exports: ExportTable
    """What is kept about a person, in all tables."""
    futures: FutureTable
    """Times that lie further ahead than they can, in all tables."""
    tokens: TokenTable
    """Tokens and tickets."""
    session_endings: SessionEndingTable
    """Whose sessions have ended."""
    guesses: GuessTable
    """Wrong secrets in a row."""
    networks: NetworkTable
    """The networks that accounts were signed in from."""
    factors: FactorTable
    """Authenticator apps, recovery codes, and tickets that ask for a code."""
    passkeys: PasskeyTable
    """Passkeys, and answered challenges."""
    rooms: RoomTable
    """Rooms and memberships."""
    posts: PostTable
    """Posts."""
    allowances: AllowanceTable
    """What accounts have used of their daily allowances."""
    offers: OfferTable
    """Rooms that wait for an answer."""
    blocks: BlockTable
    """Who keeps whom out."""
    events: EventTable
    """The event log of all rooms."""
    hooks: HookTable
    """Webhooks, and what they are told."""
    presences: PresenceTable
    """Who is present on which node."""
    push_subscriptions: PushSubscriptionTable
    """Where people are told of their rooms while they have no socket, and of which not."""
    push_queue: PushQueueTable
    """What waits to be pushed."""
    idempotency: IdempotencyTable
    """Answers to keyed requests."""
    outbox: OutboxTable
    """Waiting mail."""
    directory: DirectoryTable
    """Pending creations and servers."""
    registrations: RegistrationTable
    """Registrations by steps."""
    budgets: BudgetTable
    """Spent budgets."""
    sms: SmsTable
    """Codes by SMS, sent and entered."""
    solutions: SolutionTable
    """Solved proofs of work."""
    rewards: RewardTable
    """Granted rewards."""
    journal: JournalTable
    """The ledger's journal."""
    submissions: SubmissionTable
    """Signed transactions for another ledger."""
    runs: RunTable
    """Past live registrations."""
    live: LiveTable
    """Live registrations of all nodes."""
    server_keys: ServerKeyTable
    """The fingerprint of the server's key."""
    nodes: NodeTable
    """Who serves on the store."""
    operators: OperatorTable
    """Operator keys."""
    audit: AuditTable
    """What was done, by whom."""

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        """Waits until no other unit holds the lock for any of the keys, and holds it until this unit ends."""
