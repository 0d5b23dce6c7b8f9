"""Rooms: posts, members, the last one to leave, deleted accounts, and repeated requests."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import DAY, Duration
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.broker import Broker
from regserver.ports.store import Store
from regserver.ports.subscriber import Subscriber
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_service import AccountService
from regserver.service.block_service import BlockService
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.membership_service import MembershipPolicy, MembershipService
from regserver.service.quota import Quota, QuotaPolicy
from regserver.service.room_admission import RoomAdmission
from regserver.service.room_service import RoomService
from tests.deletion import open_deletion, open_erasure
from tests.fake import ManualClock, SeededRandomness
from tests.guess import HOME
from tests.store.race import Racers, Scenario, rows

NO_QUOTA = QuotaPolicy()


class NoSockets(Broker):
    """Nobody listens."""

    def enter_nowait(self, subscriber: Subscriber) -> None: ...
    def count(self, account: AccountId) -> int:
        return 0

    def attach_nowait(self, subscriber: Subscriber, rooms: object, as_of: object) -> bool:
        return True

    def detach_nowait(self, subscriber: Subscriber) -> None: ...

    def publish_nowait(self, events: object) -> None: ...

    def begin_anew_nowait(self, end: object) -> None: ...

    def typing_nowait(self, sign: object) -> None: ...

    def seen_nowait(self, sign: object) -> None: ...

    def accounts(self) -> tuple[AccountId, ...]:
        return ()

    def tokens(self) -> Mapping[SecretHash, AccountId]:
        return {}

    def tokens_of(self, account: AccountId) -> Collection[SecretHash]:
        return ()

    def end_tokens_nowait(
        self, account: AccountId, tokens: Collection[SecretHash], reason: Refusal
    ) -> None: ...

    async def end_account(self, account: AccountId) -> None: ...


class Door:
    """The room door's services on a store, and people with a token each."""

    def __init__(
        self, store: Store, max_members: int = 100, *, asks: bool = False, policy: QuotaPolicy = NO_QUOTA
    ) -> None:
        self.store = store
        self.clock = ManualClock()
        self.identity = IdentityService(store, self.clock, SeededRandomness(), Duration(10 * DAY))
        self.accounts = AccountService(self.identity, NoSockets())
        self.deletion = open_deletion(store, self.clock, self.identity, NoSockets())
        quota = Quota(policy)
        self.admission = RoomAdmission(self.identity)
        self.rooms = RoomService(self.admission, quota)
        self.memberships = MembershipService(self.admission, quota, MembershipPolicy(max_members, asks=asks))
        self.blocks = BlockService(self.identity)
        self.tokens: dict[str, SecretHash] = {}
        self.ids: dict[str, AccountId] = {}

    async def people(self, *names: str) -> None:
        async def work(transaction: Transaction) -> list[SignedIn]:
            made = []
            for name in names:
                new = NewAccount(username=name, origin="rooms", created_at=self.clock.now())
                account = await transaction.accounts.add(new)
                assert account is not None
                made.append(await self.identity.issue(transaction, account, HOME))
            return made

        for name, signed_in in zip(names, await self.store.write(work), strict=True):
            self.tokens[name], self.ids[name] = hash_secret(signed_in.token), signed_in.user_id

    async def room(self, *names: str) -> str:
        """A room with these people, the first of whom makes it; its number as a text."""
        made = await self.create(*names)
        assert isinstance(made, int)
        return str(made)

    async def create(self, name: str, *others: str) -> object:
        return await self.memberships.create(self.tokens[name], None, [self.ids[other] for other in others])

    async def post(self, name: str, room: str, key: Idempotency | None = None, content: str = "x") -> object:
        return await self.rooms.post(self.tokens[name], room, content, key)

    async def invite(self, name: str, room: str, *others: str) -> object:
        return await self.memberships.invite(self.tokens[name], room, [self.ids[other] for other in others])

    async def leave(self, name: str, room: str) -> object:
        return await self.rooms.leave(self.tokens[name], room)

    async def delete(self, name: str) -> object:
        return await self.deletion.delete(self.tokens[name], None, HOME)

    async def observe(self) -> object:
        """Who is where, what was posted as which number, and what was told of in which order, room by room."""
        members = await rows(
            self.store, "SELECT room_id, account_id FROM membership WHERE left_event IS NULL ORDER BY 1, 2"
        )
        posts = await rows(self.store, "SELECT ordinal FROM post ORDER BY 1")
        own = await rows(self.store, "SELECT author_id, author_ordinal FROM post ORDER BY 1, 2")
        events = await rows(
            self.store, "SELECT room_id, actor_id, substr(change, 1, 16) FROM event ORDER BY room_id, id"
        )
        alive = await rows(self.store, "SELECT count(*) FROM room")
        gone = await rows(self.store, "SELECT id FROM account WHERE deleted_at IS NOT NULL ORDER BY 1")
        return members, posts, own, events, alive, gone


Pair = Callable[[Door, str], tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]]


def in_room(
    name: str,
    members: Sequence[str],
    pair: Pair,
    lock: Lock | None,
    *,
    most: int = 100,
    also: tuple[tuple[object, object], ...] = (),
    policy: QuotaPolicy = NO_QUOTA,
) -> Scenario:
    """Ann, Bob, Cid and Dan exist; those named in `members` share a room."""

    async def prepare(store: Store) -> Racers:
        door = Door(store, most, policy=policy)
        await door.people("ann", "bob", "cid", "dan")
        room = await door.room(*members)
        return Racers(*pair(door, room), door.observe)

    return Scenario(name, prepare, lock, also)


async def deleted_by_a_command(store: Store) -> Racers:
    """Ann's account is deleted, and she is still in a room, which two servers notice."""
    door = Door(store)
    await door.people("ann", "bob")
    await door.room("ann", "bob")
    ann, now = door.ids["ann"], door.clock.now()
    await store.write(lambda transaction: transaction.accounts.mark_deleted(ann, now))
    leave = partial(open_erasure(store, door.clock).leave, ann)
    return Racers(leave, leave, door.observe)


KEY = Idempotency("key", b"digest")
OTHER_KEY = Idempotency("key", b"another digest")

SCENARIOS = (
    in_room(
        "two posts in one room",
        ("ann", "bob"),
        lambda door, room: (partial(door.post, "ann", room), partial(door.post, "bob", room)),
        Lock.ROOM,
    ),
    in_room(
        "two posts of one author",
        ("ann", "bob"),
        lambda door, room: (partial(door.post, "ann", room), partial(door.post, "ann", room)),
        None,  # the author's allowance is one row, whose update makes the second wait
        policy=QuotaPolicy(daily_posts=100),
    ),
    in_room(
        "two invitations to the last place",
        ("ann", "bob"),
        lambda door, room: (
            partial(door.invite, "ann", room, "cid"),
            partial(door.invite, "bob", room, "dan"),
        ),
        Lock.ROOM,
        most=3,
    ),
    in_room(
        "two invitations of one person",
        ("ann", "bob"),
        lambda door, room: (
            partial(door.invite, "ann", room, "cid"),
            partial(door.invite, "bob", room, "cid"),
        ),
        None,
    ),
    in_room(
        "the last two leave",
        ("ann", "bob"),
        lambda door, room: (partial(door.leave, "ann", room), partial(door.leave, "bob", room)),
        Lock.ROOM,
    ),
    in_room(
        "one leaves twice",
        ("ann", "bob"),
        lambda door, room: (partial(door.leave, "ann", room), partial(door.leave, "ann", room)),
        Lock.ROOM,
    ),
    in_room(
        "the last one leaves and posts",
        ("ann",),
        lambda door, room: (partial(door.leave, "ann", room), partial(door.post, "ann", room)),
        None,  # a post of a room that is gone breaks a foreign key
    ),
    in_room(
        "the last one leaves and invites",
        ("ann",),
        lambda door, room: (partial(door.leave, "ann", room), partial(door.invite, "ann", room, "bob")),
        Lock.ROOM,
    ),
    in_room(
        "somebody is invited whose account ends",
        ("ann",),
        lambda door, room: (partial(door.invite, "ann", room, "bob"), partial(door.delete, "bob")),
        Lock.ACCOUNT,
    ),
    in_room(
        "a room is made with somebody whose account ends",
        ("ann",),
        lambda door, room: (partial(door.create, "cid", "bob"), partial(door.delete, "bob")),
        Lock.ACCOUNT,
    ),
    in_room(
        "somebody makes a room and ends the account",
        ("ann",),
        lambda door, room: (partial(door.create, "bob"), partial(door.delete, "bob")),
        Lock.ACCOUNT,
    ),
    in_room(
        "an account ends twice",
        ("ann", "bob"),
        lambda door, room: (partial(door.delete, "ann"), partial(door.delete, "ann")),
        None,
    ),
    in_room(
        "two accounts end that are the last of a room",
        ("ann", "bob"),
        lambda door, room: (partial(door.delete, "ann"), partial(door.delete, "bob")),
        Lock.ROOM,
    ),
    in_room(
        "an account ends and leaves",
        ("ann", "bob"),
        lambda door, room: (partial(door.delete, "ann"), partial(door.leave, "ann", room)),
        Lock.ROOM,
        also=((None, "NotInRoom"),),  # the account ended between the look at the token and that at the room
    ),
    in_room(
        "an account ends and posts",
        ("ann", "bob"),
        lambda door, room: (partial(door.delete, "ann"), partial(door.post, "ann", room)),
        Lock.ROOM,
        also=((None, "NotInRoom"),),
    ),
    in_room(
        "somebody posts whose account ends",
        ("ann", "bob"),
        lambda door, room: (partial(door.post, "ann", room), partial(door.delete, "ann")),
        Lock.ROOM,
        also=(("NotInRoom", None),),
    ),
    Scenario("two servers end a deleted account's memberships", deleted_by_a_command, None),
    in_room(
        "a request and its repetition",
        ("ann", "bob"),
        lambda door, room: (partial(door.post, "ann", room, KEY), partial(door.post, "ann", room, KEY)),
        None,
    ),
    in_room(
        "two requests with one key",
        ("ann", "bob"),
        lambda door, room: (partial(door.post, "ann", room, KEY), partial(door.post, "ann", room, OTHER_KEY)),
        None,
    ),
    in_room(
        "a refused request and its repetition",
        ("ann", "bob"),
        lambda door, room: (partial(door.post, "cid", room, KEY), partial(door.post, "cid", room, KEY)),
        None,
    ),
)
