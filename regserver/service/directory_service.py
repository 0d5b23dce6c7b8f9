"""The directory: who has a name, on which server, and sign-up by a mailed challenge.

    init     → a pending creation (password hashed, challenge as a hash) and its mail, in one transaction
    confirm  → an account, if the name is still free: the first confirmation wins, by the unique keys of the store
               every later one, of this challenge or of a rival's, is told who has won

A pending creation reserves nothing, so any number of them may want one name.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from regserver.domain.account import (
    Account,
    AccountId,
    EmailKey,
    NameKey,
    NewAccount,
    email_key,
    name_key,
)
from regserver.domain.directory import (
    CHALLENGE_LENGTH,
    MAX_PENDING_PER_EMAIL,
    AlreadyConfirmed,
    InvalidChallenge,
    InvalidData,
    InvalidUserName,
    MessageId,
    NoPendingCreation,
    SignUpFields,
    TooManyPending,
    UnknownUserName,
    is_challenge,
    is_name,
    is_reserved,
    least_used,
    new_challenge,
    syntax_errors,
)
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.outcome import EmailTaken, UsernameTaken
from regserver.domain.secret import hash_secret
from regserver.ports.clock import Clock
from regserver.ports.directory_table import PendingCreation
from regserver.ports.mail_template import MailTemplates
from regserver.ports.mailer import Mail
from regserver.ports.password_hasher import PasswordHasher
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.account_service import add_account
from regserver.service.outbox import Outbox


class Allotted(msgspec.Struct, frozen=True):
    """Where a user lives. server: None is this host."""

    server: str | None


class ChallengeStatus(msgspec.Struct, frozen=True):
    """What a challenge is good for now. username: whose sign-up it is; None when there is none."""

    state: Literal["pending", "confirmed", "unknown"]
    username: str | None = None
    server: str | None = None


class _Wanted(msgspec.Struct, frozen=True):
    """A sign-up whose syntax is right."""

    username: str
    password: str
    email: str
    language: str

    @property
    def name_key(self) -> NameKey:
        return name_key(self.username)

    @property
    def email_key(self) -> EmailKey:
        return email_key(self.email)


class DirectoryService:
    """servers: the hosts that users are allotted to; none means this host. reserved: names nobody gets.
    pending_ttl: how long a sign-up may be confirmed. reveal_existing: False keeps from strangers which names and
    addresses are taken; the answer is then the same for all, and the mailbox is told.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        hasher: PasswordHasher,
        outbox: Outbox,
        letters: MailTemplates,
        *,
        servers: Sequence[str],
        reserved: Sequence[str],
        pending_ttl: Duration,
        reveal_existing: bool = True,
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._hasher = hasher
        self._outbox = outbox
        self._letters = letters
        self._servers = tuple(servers)
        self._reserved = tuple(reserved)
        self._pending_ttl = pending_ttl
        self._reveal = reveal_existing

    def is_well_formed(self, sign_up: SignUpFields) -> bool:
        """Whether the sign-up is one that costs a hash and may send a mail."""
        return not syntax_errors(sign_up, self._reserved)

    async def check(self, name: str) -> bool | InvalidUserName:
        """Whether the name cannot be had: taken at any door, held for somebody, or reserved."""
        if not is_name(name):
            return InvalidUserName()
        if is_reserved(name, self._reserved):
            return True
        key, now = name_key(name), self._clock.now()
        return await self._store.read(lambda transaction: transaction.names.holder(key, now)) is not None

    async def server(self, name: str) -> Allotted | InvalidUserName | UnknownUserName:
        """Where the user lives; whoever came by another door lives here."""
        if not is_name(name):
            return InvalidUserName()
        key = name_key(name)
        account = await self._store.read(lambda transaction: transaction.accounts.by_name(key))
        if account is None or account.deleted_at is not None:
            return UnknownUserName()
        return Allotted(account.server)

    async def init(self, sign_up: SignUpFields, link_base: str) -> InvalidData | TooManyPending | None:
        """Begins a sign-up: None when its mail is on the way. link_base: what the link in it starts with."""
        wanted = self._wanted(sign_up)
        taken = await self._taken_now(sign_up)
        if isinstance(wanted, InvalidData) or (taken and self._reveal):
            return _invalid(wanted, taken)
        password_hash = await self._hasher.hash(wanted.password)
        challenge = new_challenge([self._randomness.below(62) for _ in range(CHALLENGE_LENGTH)])
        now = self._clock.now()
        pending = PendingCreation(
            username=wanted.username,
            email=wanted.email,
            password_hash=password_hash,
            language=wanted.language,
            created_at=now,
            expires_at=after(now, self._pending_ttl),
            account=None,
        )
        # Written before the transaction: templates are files, and the writer thread is not for those.
        letter = self._letter(
            wanted, taken, f"{link_base}/confirm?lang={wanted.language}#{challenge}", pending
        )

        async def work(transaction: Transaction) -> TooManyPending | None:
            since = Instant(now - self._pending_ttl)
            if await transaction.directory.count_pending(wanted.email_key, since) >= MAX_PENDING_PER_EMAIL:
                return TooManyPending(self._pending_ttl.whole_seconds)
            # A sign-up that cannot succeed is kept too: it counts against the address like any other.
            await transaction.directory.add_pending(hash_secret(challenge), pending)
            await self._outbox.enqueue(transaction, letter)
            return None

        return await self._store.write(work)

    async def init_trusted(self, sign_up: SignUpFields) -> Allotted | InvalidData:
        """Sign-up for a platform that vouches for its users: no mail, an account at once."""
        wanted = self._wanted(sign_up)
        taken = await self._taken_now(sign_up)
        if isinstance(wanted, InvalidData) or taken:
            return _invalid(wanted, taken)
        password_hash = await self._hasher.hash(wanted.password)

        async def work(transaction: Transaction) -> Allotted | InvalidData:
            made = await self._add(transaction, wanted.username, wanted.email, password_hash)
            match made:
                case UsernameTaken():
                    return InvalidData(("EXISTING_USER_NAME",))
                case EmailTaken():
                    return InvalidData(("EXISTING_EMAIL",))
                case (_, server):
                    return Allotted(server)

        return await self._store.write(work)

    async def confirm(
        self, challenge: str
    ) -> Allotted | InvalidChallenge | NoPendingCreation | AlreadyConfirmed | InvalidData:
        """Makes the account. Repeating it changes nothing and says AlreadyConfirmed, for good."""
        if not is_challenge(challenge):
            return InvalidChallenge()
        key = hash_secret(challenge)

        async def work(
            transaction: Transaction,
        ) -> Allotted | NoPendingCreation | AlreadyConfirmed | InvalidData:
            pending = await transaction.directory.pending(key)
            if pending is None:
                return NoPendingCreation()
            if pending.account is not None:
                return AlreadyConfirmed(await _server_of(transaction, pending.account))
            if self._clock.now() >= pending.expires_at:
                return NoPendingCreation()
            made = await self._add(transaction, pending.username, pending.email, pending.password_hash)
            match made:
                case UsernameTaken():
                    winner = await transaction.accounts.by_name(name_key(pending.username))
                    # Held by a sign-up under way at another door, which may yet come to nothing.
                    if winner is None:
                        return InvalidData(("EXISTING_USER_NAME",))
                    await transaction.directory.settle(key, winner.id)
                    return AlreadyConfirmed(winner.server)
                case EmailTaken():
                    return InvalidData(("EXISTING_EMAIL",))
                case (account, server):
                    await transaction.directory.settle(key, account)
                    return Allotted(server)

        return await self._store.write(work)

    async def challenge_status(self, challenge: str) -> ChallengeStatus:
        """What confirming would do now; changes nothing."""
        if not is_challenge(challenge):
            return ChallengeStatus("unknown")
        key = hash_secret(challenge)

        async def work(transaction: Transaction) -> ChallengeStatus:
            pending = await transaction.directory.pending(key)
            if pending is None:
                return ChallengeStatus("unknown")
            account = (
                await transaction.accounts.by_name(name_key(pending.username))
                if pending.account is None
                else await transaction.accounts.by_id(pending.account)
            )
            if pending.account is None and self._clock.now() >= pending.expires_at:
                return ChallengeStatus("unknown")
            if account is not None:
                return ChallengeStatus("confirmed", pending.username, account.server)
            return ChallengeStatus("pending", pending.username)

        return await self._store.read(work)

    async def recount(self) -> None:
        """Counts the users of every server; at start and at reload, so that deletions tell by then."""
        await self._store.write(lambda transaction: transaction.directory.recount())

    async def reload(self, servers: Sequence[str], reserved: Sequence[str]) -> None:
        """Takes other servers and reserved names into use; sign-ups from now on are allotted among these."""
        self._servers, self._reserved = tuple(servers), tuple(reserved)
        await self.recount()

    def _wanted(self, sign_up: SignUpFields) -> _Wanted | InvalidData:
        errors = syntax_errors(sign_up, self._reserved)
        if errors or sign_up.username is None or sign_up.password is None or sign_up.email is None:
            return InvalidData(errors)
        return _Wanted(sign_up.username, sign_up.password, sign_up.email, sign_up.language)

    async def _taken_now(self, sign_up: SignUpFields) -> tuple[MessageId, ...]:
        """Which of the well-formed fields are somebody's already: asked before a hash is paid for."""
        if not self._reveal and syntax_errors(sign_up, self._reserved):
            return ()
        return await self._store.read(lambda transaction: self._taken(transaction, sign_up))

    async def _taken(self, transaction: Transaction, sign_up: SignUpFields) -> tuple[MessageId, ...]:
        wrong = syntax_errors(sign_up, self._reserved)
        taken: list[MessageId] = []
        if (
            sign_up.username is not None
            and not {"INVALID_USER_NAME", "RESERVED_USER_NAME"} & set(wrong)
            and await transaction.names.holder(name_key(sign_up.username), self._clock.now())
        ):
            taken.append("EXISTING_USER_NAME")
        if (
            sign_up.email is not None
            and "INVALID_EMAIL" not in wrong
            and await transaction.accounts.by_email(email_key(sign_up.email))
        ):
            taken.append("EXISTING_EMAIL")
        return tuple(taken)

    def _letter(
        self, wanted: _Wanted, taken: tuple[MessageId, ...], link: str, pending: PendingCreation
    ) -> Mail:
        if "EXISTING_EMAIL" in taken:
            return self._letters.write("email_taken", wanted.language, wanted.email, {})
        values = {"username": wanted.username}
        if taken:
            return self._letters.write("name_taken", wanted.language, wanted.email, values)
        values |= {"link": link, "hours": str(-(-self._pending_ttl // 3_600_000))}
        return self._letters.write("confirm", wanted.language, wanted.email, values, pending.expires_at)

    async def _add(
        self, transaction: Transaction, username: str, email: str | None, password_hash: str | None
    ) -> tuple[AccountId, str | None] | UsernameTaken | EmailTaken:
        """The account, on the server with fewest users; the count and the account are one transaction."""
        servers = self._servers
        server = least_used(servers, await transaction.directory.users(servers)) if servers else None
        new = NewAccount(
            username=username,
            origin="directory",
            created_at=self._clock.now(),
            email=email,
            password_hash=password_hash,
            server=server,
        )
        added = await add_account(transaction, new)
        if isinstance(added, UsernameTaken | EmailTaken):
            return added
        if server is not None:
            await transaction.directory.add_user(server)
        return added, server


def _invalid(wanted: _Wanted | InvalidData, taken: tuple[MessageId, ...]) -> InvalidData:
    return InvalidData((*(wanted.errors if isinstance(wanted, InvalidData) else ()), *taken))


async def _server_of(transaction: Transaction, account: AccountId) -> str | None:
    found: Account | None = await transaction.accounts.by_id(account)
    return None if found is None else found.server
