"""Live registration on a real store, with a source that says what the test wants, when it wants."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.domain.account import AccountId, NewAccount, Profile
from regserver.domain.contact import ContactClaim
from regserver.domain.instant import DAY, SECOND, Duration
from regserver.domain.live_progress import ProgressEvent, ProgressState, RegistrationId
from regserver.domain.outcome import EmailTaken, Refusal, UsernameTaken
from regserver.domain.secret import SecretHash
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.domain.source_line import DoneLine, NameLine, SourceLine, StepLine
from regserver.ports.password_hasher import PasswordHasher, PasswordMatch
from regserver.ports.source import Accepted, Rejected, Source, Subject, Verdict
from regserver.service.add_account import add_account
from regserver.service.asker import Asker
from regserver.service.deletion_service import DeletionService
from regserver.service.identity_service import IdentityService, SignedIn
from regserver.service.live_account import LiveParts, LivePolicy
from regserver.service.live_job import LiveJob
from regserver.service.live_service import LiveService, open_live
from regserver.service.outbox import Outbox
from regserver.service.sign_in_outcome import Registering
from regserver.service.sign_in_service import SignInParts, SignInService
from regserver.service.sign_up_gate import Refused
from regserver.service.source_check import SourceCheck
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.deletion import GRACE, open_deletion
from tests.fake import NAME_HASH, PEPPER, ManualClock, SeededRandomness
from tests.gate import OPEN, open_gate
from tests.guess import HOME, open_guard
from tests.store.meeting.room import NoSockets

NAMED = NameLine(Profile(first_name="Ada", middle_name=None, last_name="Lovelace"))
RIGHT = "right"
STORY: tuple[SourceLine, ...] = (StepLine("One", 1, 2), StepLine("Two", 2, 2), NAMED, DoneLine())
NEVER = Duration(0)
POLICY = LivePolicy(deadline=Duration(60 * SECOND), replay=Duration(60 * SECOND), max_running=3)


class CountingHasher(PasswordHasher):
    """The real one, cheap, and how often it was used."""

    def __init__(self) -> None:
        self._inner = Argon2Hasher(time_cost=1, memory=1 << 16, parallelism=1, max_memory=1 << 20)
        self.used = 0

    async def hash(self, password: str) -> str:
        self.used += 1
        return await self._inner.hash(password)

    async def verify(self, password: str, encoded: str | None) -> PasswordMatch:
        self.used += 1
        return await self._inner.verify(password, encoded)

    def is_guessable(self, password: str, *own: str | None) -> bool:
        return self._inner.is_guessable(password, *own)


class StagedSource(Source):
    """passwords, subjects: by user name. Lines come from `say`, in order, to whoever listens."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {
            "ada": "right",
            "grace": "right",
            "alan": "right",
            "edsger": "right",
        }
        self.subjects: dict[str, str] = {}
        self.people: Sequence[Subject] | None = None
        self.verdict: Verdict | None = None
        self.asked = 0
        self.profiles = 0
        self.open = 0
        self.verifying = trio.Event()
        self.may_answer = trio.Event()
        self.may_answer.set()
        self._say, self._hear = trio.open_memory_channel[SourceLine | Exception](10_000)

    async def verify(self, username: str, password: str) -> Verdict:
        self.asked += 1
        self.verifying.set()
        await self.may_answer.wait()
        if self.verdict is not None:
            return self.verdict
        if self.passwords.get(username) != password:
            return Rejected()
        return Accepted(Subject(self.subjects.get(username, username)))

    @asynccontextmanager
    async def profile(self, subject: Subject) -> AsyncIterator[AsyncIterator[SourceLine]]:
        self.profiles += 1
        self.open += 1
        try:
            yield _Heard(self._hear)
        finally:
            self.open -= 1

    def say(self, *lines: SourceLine | Exception) -> None:
        for line in lines:
            self._say.send_nowait(line)

    def end(self) -> None:
        """The stream of whoever listens ends, and those of all after it."""
        self._say.close()


class _Heard(AsyncIterator[SourceLine]):
    def __init__(self, channel: trio.MemoryReceiveChannel[SourceLine | Exception]) -> None:
        self._channel = channel

    async def __anext__(self) -> SourceLine:
        try:
            said = await self._channel.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None
        if isinstance(said, Exception):
            raise said
        return said


class KeptEndings(NoSockets):
    """Nobody listens; whose sockets were to end is kept."""

    def __init__(self) -> None:
        self.ended: list[tuple[AccountId, Collection[SecretHash]]] = []

    def end_tokens_nowait(self, account: AccountId, tokens: Collection[SecretHash], reason: Refusal) -> None:
        self.ended.append((account, tokens))


class World:
    """Everything between the doors and the file."""

    def __init__(self, store: SqliteStore, source: StagedSource, hasher: CountingHasher) -> None:
        self.store = store
        self.source = source
        self.hasher = hasher
        self.clock = ManualClock()
        self.outbox = Outbox(self.clock, SeededRandomness(5), bytes(32))
        self.ended: list[ProgressState] = []
        self.live: LiveService
        self.sign_in_service: SignInService
        self.parts: SignInParts
        self.sockets = KeptEndings()
        self.deletion: DeletionService

    async def sign_in(
        self, username: str = "ada", password: str = RIGHT, asker: Asker = HOME
    ) -> SignedIn | Registering | Refusal:
        return await self.sign_in_service.sign_in(username, password, asker)

    async def begin(self, username: str = "ada", password: str = RIGHT) -> RegistrationId:
        outcome = await self.sign_in(username, password)
        assert isinstance(outcome, Registering), outcome
        return outcome.registration

    async def add_elsewhere(
        self, username: str, password: str, claim: ContactClaim | None = None
    ) -> AccountId | UsernameTaken | EmailTaken | Refused:
        """An account that comes in by the rooms door. claim: its address."""
        new = NewAccount(
            username=username,
            origin="rooms",
            password_hash=await self.hasher.hash(password),
            created_at=self.clock.now(),
            email=None if claim is None else claim.contact.value,
            contact=claim,
        )
        return await self.store.write(lambda transaction: add_account(transaction, new))

    def job(self, registration: RegistrationId) -> LiveJob:
        job = self.live.job(registration)
        assert job is not None
        return job

    async def story(self, registration: RegistrationId) -> list[ProgressEvent]:
        """All events, once it is over."""
        job = self.job(registration)
        with trio.fail_after(10):
            seen = 0
            while await job.more(seen):
                seen = len(job.history)
        return [shown.event for shown in job.history]

    async def register(self, username: str = "ada") -> ProgressEvent:
        registration = await self.begin(username)
        self.source.say(*STORY)
        last = (await self.story(registration))[-1]
        assert last.event_type == "AUTHENTICATION"
        with trio.fail_after(10):
            await self.job(registration).gone.wait()
        return last


@asynccontextmanager
async def world(
    folder: Path,
    policy: LivePolicy = POLICY,
    max_asking: int = 10,
    recheck: Duration = NEVER,
    door: DoorPolicy = OPEN,
) -> AsyncIterator[World]:
    async with open_sqlite(folder / "live.db", hash_name=NAME_HASH) as store:
        here = World(store, StagedSource(), CountingHasher())
        randomness = SeededRandomness()
        identity = IdentityService(store, here.clock, randomness, Duration(10 * DAY))
        guard = open_guard(store, here.clock)
        parts = LiveParts(
            store=store,
            clock=here.clock,
            randomness=randomness,
            identity=identity,
            guard=guard,
            source=here.source,
            policy=policy,
            on_end=here.ended.append,
            gate=open_gate(store, here.clock, here.outbox, door),
        )
        async with open_live(parts) as live:
            here.live = live
            here.parts = SignInParts(
                store=store,
                clock=here.clock,
                hasher=here.hasher,
                identity=identity,
                live=live,
                guard=guard,
                broker=here.sockets,
                pepper=PEPPER,
                source=SourceCheck(here.source, policy.source, max_asking),
                recheck=recheck,
                grace=GRACE,
            )
            here.deletion = open_deletion(store, here.clock, identity, here.sockets)
            here.sign_in_service = SignInService(here.parts)
            yield here
