"""Rooms on a real store with a clock that stands still: what the service and web tests of rooms are set up with."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.system import SystemClock
from regserver.broker.local import LocalBroker, open_local_broker
from regserver.broker.making import Making
from regserver.domain.account import AccountId, NewAccount
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY, Duration
from regserver.domain.room import RoomId
from regserver.domain.room_event import Position, RoomEvent
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.endpoint import Frame
from regserver.ports.mailer import Mail
from regserver.ports.transaction import Transaction
from regserver.service.account_service import AccountService
from regserver.service.add_account import add_account
from regserver.service.block_service import BlockService
from regserver.service.deletion_service import DeletionRefusal
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.membership_service import MembershipPolicy, MembershipService
from regserver.service.new_person import NewPerson, SignUpRefusal
from regserver.service.outbox import Outbox
from regserver.service.quota import Quota, QuotaPolicy
from regserver.service.recovery_service import RecoveryService, Resumption
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_service import RoomService
from regserver.service.seen_service import SeenService
from regserver.service.sign_up_service import SignUpParts, SignUpService
from regserver.serving import broadcast_nowait
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.address import open_address_change, open_addresses
from tests.deletion import open_deletion
from tests.fake import NAME_HASH, PEPPER, ManualClock, SeededRandomness
from tests.gate import OPEN, open_gate
from tests.guess import HOME, open_guard

T = TypeVar("T")
BASE = "https://example.org"
NO_QUOTA = QuotaPolicy()


class Somebody(msgspec.Struct, frozen=True):
    id: AccountId
    username: str
    secret: str
    token: SecretHash


class Rooms:
    """The services of the room door, and people to use them."""

    def __init__(
        self,
        store: SqliteStore,
        broker: LocalBroker,
        *,
        membership: MembershipPolicy,
        quota: QuotaPolicy,
        policy: DoorPolicy = OPEN,
        requires_verified: bool = False,
    ) -> None:
        self.store = store
        self.broker = broker
        self.clock = ManualClock()
        self.identity = IdentityService(store, self.clock, SeededRandomness(), Duration(10 * DAY))
        hasher = Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26)
        self.accounts = AccountService(self.identity, broker)
        self.outbox = Outbox(self.clock, SeededRandomness(2), bytes(32))
        self.address_change = open_address_change(store, self.clock, self.identity, broker)
        self.addresses = open_addresses(store, self.clock, self.identity, broker, self.address_change)
        self.deletion = open_deletion(store, self.clock, self.identity, broker)
        parts = SignUpParts(
            store=store,
            clock=self.clock,
            hasher=hasher,
            identity=self.identity,
            guard=open_guard(store, self.clock),
            pepper=PEPPER,
            addresses=self.addresses,
            gate=open_gate(store, self.clock, self.outbox, policy),
        )
        self.sign_ups = SignUpService(parts)
        self.admission = RoomAdmission(self.identity, requires_verified=requires_verified)
        self.rooms = RoomService(self.admission, Quota(quota))
        self.marks = SeenService(self.admission, broker)
        self.memberships = MembershipService(self.admission, Quota(quota), membership)
        self.blocks = BlockService(self.identity)
        self.recovery = RecoveryService(store, self.admission)

    async def sign_up(
        self,
        username: str,
        email: str,
        password: str,
        idempotency: Idempotency | None = None,
        invitation: str | None = None,
    ) -> SignedIn | SignUpRefusal:
        person = NewPerson(username, email, password, HOME, BASE, invitation=invitation)
        return await self.sign_ups.register(person, idempotency)

    async def mails(self) -> list[Mail]:
        """What waits in the outbox, in order."""
        rows = await self.store.read(lambda transaction: transaction.outbox.list(1000))
        opened = [self.outbox.open(row.sealed) for row in sorted(rows, key=lambda row: row.id)]
        return [mail for mail in opened if mail is not None]

    async def delete(self, token: SecretHash) -> DeletionRefusal | None:
        return await self.deletion.delete(token, None, HOME)

    async def person(self, username: str) -> Somebody:
        async def work(transaction: Transaction) -> SignedIn:
            new = NewAccount(
                username=username,
                email=f"{username}@example.org",
                origin="rooms",
                created_at=self.clock.now(),
            )
            account = await add_account(transaction, new)
            assert isinstance(account, int)
            return await self.identity.issue(transaction, account, HOME)

        signed_in = await self.store.write(work)
        return Somebody(signed_in.user_id, username, signed_in.token, hash_secret(signed_in.token))

    async def again(self, person: Somebody) -> Somebody:
        """The same person with a new token."""
        signed_in = await self.store.write(
            lambda transaction: self.identity.issue(transaction, person.id, HOME)
        )
        return Somebody(person.id, person.username, signed_in.token, hash_secret(signed_in.token))

    async def crowd(self, count: int) -> list[Somebody]:
        """Many people, only the first and the last of whom have a token."""
        first, last = await self.people("first", "last")

        async def work(transaction: Transaction) -> list[Somebody]:
            names = [f"one-of-many-{number}" for number in range(count - 2)]
            now, nothing = self.clock.now(), hash_secret("")
            return [
                Somebody(
                    await transaction.accounts.add(NewAccount(username=name, origin="rooms", created_at=now)),
                    name,
                    "",
                    nothing,
                )
                for name in names
            ]

        return [first, *await self.store.write(work), last]

    async def people(self, *usernames: str) -> list[Somebody]:
        return [await self.person(username) for username in usernames]

    async def room(self, creator: Somebody, *others: Somebody) -> RoomId:
        return RoomId(
            made(int, await self.memberships.create(creator.token, None, [other.id for other in others]))
        )

    async def post(self, author: Somebody, room: RoomId, content: str = "x") -> int:
        return made(int, await self.rooms.post(author.token, str(room), content))

    async def end(self) -> Position:
        return await self.store.read(lambda transaction: transaction.events.end())

    async def resume(self, person: Somebody, since: Position | None) -> Resumption:
        return made(Resumption, await self.recovery.begin(person.token, since))

    async def missed(self, person: Somebody, since: Position) -> list[RoomEvent]:
        """All of it, page by page."""
        reader = self.recovery.reader(person.id, since)
        events: list[RoomEvent] = []
        while (page := await reader.next()) is not None:
            events += page.events
            if page.rooms is not None:
                return events
        raise AssertionError("the log was cut")


def made(kind: type[T], outcome: object) -> T:
    """The result of something that must not be refused."""
    assert isinstance(outcome, kind), outcome
    return outcome


def ids(people: Sequence[Somebody]) -> list[AccountId]:
    return [person.id for person in people]


@asynccontextmanager
async def open_rooms(
    folder: Path,
    *,
    max_members: int = 5000,
    asks: bool = False,
    quota: QuotaPolicy = NO_QUOTA,
    policy: DoorPolicy = OPEN,
    requires_verified: bool = False,
) -> AsyncIterator[Rooms]:
    def frame(event: RoomEvent, _: object) -> Frame:
        return Frame(str(event.id).encode())

    async with (
        open_sqlite(folder / "rooms.db", hash_name=NAME_HASH) as store,
        open_local_broker(
            Making({"plain": frame, "resumable": frame}, {}, broadcast_nowait, _nothing), SystemClock()
        ) as broker,
    ):
        store.listen(broker.publish_nowait)
        membership = MembershipPolicy(max_members, asks=asks)
        yield Rooms(
            store,
            broker,
            membership=membership,
            quota=quota,
            policy=policy,
            requires_verified=requires_verified,
        )


def _nothing(frames: int, receivers: int) -> None:
    pass
