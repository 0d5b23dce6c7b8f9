"""Sessions: the last token that an account may have, one session ended twice, a password that changes while it is used."""

from collections.abc import Callable
from functools import partial

from regserver.domain.account import NewAccount
from regserver.domain.instant import DAY, Duration
from regserver.domain.secret import hash_secret
from regserver.domain.session import SessionId
from regserver.ports.account_table import SourceLink
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.identity_service import SignedIn
from regserver.service.live_account import LiveParts
from regserver.service.live_service import open_live
from regserver.service.session_service import NamedTokenPolicy, NamedTokenWish, SessionService
from regserver.service.sign_in_service import SignInParts, SignInService
from regserver.service.source_check import SourceCheck
from tests.fake import PEPPER, SeededRandomness
from tests.guess import HOME, open_guard
from tests.live_world import POLICY, CountingHasher, StagedSource
from tests.store.meeting.room import Door, NoSockets
from tests.store.race import Racer, Racers, Scenario, rows

OLD, NEW = "the old password", "the new password"


class Desk:
    """Ann, with three sessions, whose password is the source's: here it is still the old one, there the new one."""

    def __init__(self, store: Store) -> None:
        self.door = Door(store)
        self.hasher = CountingHasher()
        self.source = StagedSource()
        self.source.passwords = {"ann": NEW}
        policy = NamedTokenPolicy(most=1, ttl=Duration(DAY), longest=Duration(DAY))
        self.sessions = SessionService(self.door.identity, NoSockets(), policy)
        self.ids: list[SessionId] = []

    async def open(self) -> None:
        new = NewAccount(
            username="ann",
            origin="live",
            subject="ann",
            password_hash=await self.hasher.hash(OLD),
            created_at=self.door.clock.now(),
        )

        async def work(transaction: Transaction) -> list[SignedIn]:
            account = await transaction.accounts.add(new)
            assert account is not None
            link = SourceLink("file", "ann", self.door.clock.now())
            await transaction.accounts.confirm_source(account, link)
            return [await self.door.identity.issue(transaction, account, HOME) for _ in range(3)]

        made = await self.door.store.write(work)
        self.door.tokens["ann"] = hash_secret(made[0].token)
        self.ids = [session.session_id for session in made]

    def add(self, name: str) -> Racer:
        return partial(self.sessions.add_named, self.door.tokens["ann"], NamedTokenWish(name), HOME)

    def end(self, number: int) -> Racer:
        return partial(self.sessions.end, self.door.tokens["ann"], self.ids[number])

    def sign_out(self) -> Racer:
        return partial(self.door.accounts.sign_out, self.door.tokens["ann"], everywhere=True)

    def sign_in(self, password: str) -> Racer:
        """At a node of its own."""
        store, clock, identity = self.door.store, self.door.clock, self.door.identity
        guard = open_guard(store, clock)
        live_parts = LiveParts(
            store=store,
            clock=clock,
            randomness=SeededRandomness(),
            identity=identity,
            guard=guard,
            source=self.source,
            policy=POLICY,
        )

        async def run() -> object:
            async with open_live(live_parts) as live:
                parts = SignInParts(
                    store=store,
                    clock=clock,
                    hasher=self.hasher,
                    identity=identity,
                    live=live,
                    guard=guard,
                    broker=NoSockets(),
                    pepper=PEPPER,
                    source=SourceCheck(self.source, POLICY.source, 10),
                )
                return await SignInService(parts).sign_in("ann", password, HOME)

        return run

    async def observe(self) -> object:
        return await rows(self.door.store, "SELECT count(*), count(name) FROM token")


def between(name: str, pair: Callable[[Desk], tuple[Racer, Racer]], lock: Lock | None = None) -> Scenario:
    async def prepare(store: Store) -> Racers:
        desk = Desk(store)
        await desk.open()
        return Racers(*pair(desk), desk.observe)

    return Scenario(name, prepare, lock)


SCENARIOS = (
    between("the last named token", lambda desk: (desk.add("one"), desk.add("two")), Lock.ACCOUNT),
    between("one session is ended twice", lambda desk: (desk.end(1), desk.end(1))),
    between("a session ends, and all do", lambda desk: (desk.end(1), desk.sign_out()), Lock.ACCOUNT),
    between("a named token, and all end", lambda desk: (desk.add("one"), desk.sign_out()), Lock.ACCOUNT),
    between(
        "an old password, and a new one for the first time",
        lambda desk: (desk.sign_in(OLD), desk.sign_in(NEW)),
        Lock.ACCOUNT,
    ),
    between(
        "a new password for the first time, and an old one",
        lambda desk: (desk.sign_in(NEW), desk.sign_in(OLD)),
        Lock.ACCOUNT,
    ),
)
