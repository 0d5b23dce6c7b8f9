"""A directory on a real store, with a clock that stands still and an outbox that can be read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.jinja_mail import load_mail_templates
from regserver.domain.account import Account, NewAccount, name_key
from regserver.domain.directory import Malformed, SignUpFields, WellFormed, parse_sign_up
from regserver.domain.instant import DAY
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.ports.mailer import Mail
from regserver.ports.store import Store
from regserver.service.add_account import add_account
from regserver.service.directory_policy import DirectoryParts, DirectoryPolicy
from regserver.service.directory_service import DirectoryService
from regserver.service.outbox import Outbox
from regserver.store.sqlite import open_sqlite
from tests.fake import PEPPER, ManualClock, SeededRandomness, claim_of
from tests.gate import OPEN, open_gate

BASE = "https://example.org"
PASSWORD = "sixsix"
RESERVED = ("admin", "root")


class World:
    """The directory and what it stands on."""

    def __init__(
        self, store: Store, *, servers: tuple[str, ...], reveal_existing: bool, policy: DoorPolicy = OPEN
    ) -> None:
        self.store = store
        self.clock = ManualClock()
        randomness = SeededRandomness()
        self.outbox = Outbox(self.clock, randomness, bytes(32))
        self.hasher = Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26)
        figures = DirectoryPolicy(
            servers=servers, reserved=RESERVED, pending_ttl=DAY, reveal_existing=reveal_existing
        )
        self.parts = DirectoryParts(
            store=store,
            clock=self.clock,
            randomness=randomness,
            hasher=self.hasher,
            outbox=self.outbox,
            mail_templates=load_mail_templates(None, "example.org"),
            pepper=PEPPER,
            gate=open_gate(store, self.clock, self.outbox, policy),
        )
        self.directory = DirectoryService(self.parts, figures)

    async def mails(self) -> list[Mail]:
        rows = await self.store.read(lambda transaction: transaction.outbox.list(1000))
        opened = [self.outbox.open(row.sealed) for row in sorted(rows, key=lambda row: row.id)]
        return [mail for mail in opened if mail is not None]

    async def begin(self, username: str, email: str | None = None, invitation: str | None = None) -> str:
        """Signs up and takes the challenge out of the mail."""
        email = email or f"{username.lower()}@example.org"
        begun = await self.directory.init(sign_up(username, email), BASE, invitation=invitation)
        assert begun is None
        return challenge_in((await self.mails())[-1])

    async def account(self, username: str) -> Account:
        """The account of the name, which must be there."""
        found = await self.store.read(lambda transaction: transaction.accounts.by_name(name_key(username)))
        assert found is not None
        return found

    async def add_elsewhere(self, username: str, email: str | None = None) -> None:
        """An account that came in by the rooms door, and has verified its address."""
        claim = None if email is None else claim_of(email)
        now = self.clock.now()
        new = NewAccount(username=username, email=email, origin="rooms", created_at=now, contact=claim)
        await self.store.write(lambda transaction: add_account(transaction, new))


def sign_up(username: str, email: str, password: str = PASSWORD) -> WellFormed | Malformed:
    return parse_sign_up(SignUpFields(username, password, email, "en"), RESERVED, lambda *_: False)


def challenge_in(mail: Mail) -> str:
    (link,) = [word for word in mail.text.split() if word.startswith(f"{BASE}/confirm")]
    return link.partition("#")[2]


@asynccontextmanager
async def world(
    folder: Path,
    servers: tuple[str, ...] = ("one.example.org", "two.example.org"),
    *,
    reveal_existing: bool = True,
    policy: DoorPolicy = OPEN,
) -> AsyncIterator[World]:
    async with open_sqlite(folder / "x.db") as store:
        yield World(store, servers=servers, reveal_existing=reveal_existing, policy=policy)
