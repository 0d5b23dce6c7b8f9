"""The directory: names and their servers, and sign-up by a mailed challenge.

    init     → a pending creation (password and challenge as hashes) and its mail, in one transaction
    confirm  → an account, if the name is still free: the first confirmation wins, by the store's unique keys;
               a later one, of any challenge for that name, gets AlreadyConfirmed

A pending creation reserves nothing, so several of them may be for one name.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from regserver.domain import directory as rules
from regserver.domain.account import EmailKey, email_key, name_key
from regserver.domain.address import coarse_network
from regserver.domain.contact import Contact, ContactKey, Pepper
from regserver.domain.instant import HOUR, SECOND, Instant, after
from regserver.domain.outcome import (
    BadCaptcha,
    EmailTaken,
    InvitationRequired,
    RegistrationClosed,
    TooManyRequests,
    UsernameTaken,
)
from regserver.domain.password import is_directory_password
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.captcha import CaptchaAnswer, is_passed
from regserver.ports.directory_table import PendingCreation
from regserver.ports.mailer import Mail
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import find_taken
from regserver.service.directory_account import Allotted, DoorRefusal, NewUser, add_user, newcomer, worded
from regserver.service.directory_policy import DirectoryParts, DirectoryPolicy
from regserver.service.mail_cap import mail_budgets
from regserver.service.sign_up_gate import GateEntry, Newcomer, invitation_hash

ConfirmRefusal = rules.NoPendingCreation | rules.AlreadyConfirmed | rules.InvalidData | DoorRefusal
TAKEN: dict[type, rules.SignUpFault] = {UsernameTaken: "taken_name", EmailTaken: "taken_email"}


class WrongPassword(msgspec.Struct, frozen=True):
    """Not the password of the sign-up that is to be confirmed."""


class ChallengeStatus(msgspec.Struct, frozen=True):
    """The state of a challenge. username: of its sign-up; None when the challenge is unknown. begun_at, network: of a sign-up
    that waits; network: coarse, "" if it is unknown.
    """

    state: Literal["pending", "confirmed", "unknown"]
    username: str | None = None
    server: str | None = None
    begun_at: Instant | None = None
    network: str = ""


class DirectoryService:
    """The use cases of the directory door."""

    def __init__(self, parts: DirectoryParts, policy: DirectoryPolicy) -> None:
        self._parts = parts
        self._policy = policy

    # --- looking names up
    async def check(self, name: str) -> bool | rules.InvalidUserName:
        """Whether the name is taken at any door, reserved for a while, or in the operator's list."""
        if not rules.is_name(name):
            return rules.InvalidUserName()
        if rules.is_reserved(name, self._policy.reserved):
            return True
        key, now = name_key(name), self._parts.clock.now()
        holder = await self._parts.store.look_up(lambda transaction: transaction.names.holder(key, now))
        return holder is not None

    async def server(self, name: str) -> Allotted | rules.InvalidUserName | rules.UnknownUserName:
        """The server of a user; users of other doors have this host."""
        if not rules.is_name(name):
            return rules.InvalidUserName()
        key = name_key(name)
        account = await self._parts.store.look_up(lambda transaction: transaction.accounts.by_name(key))
        if account is None or not account.is_usable:
            return rules.UnknownUserName()
        return Allotted(account.server)

    # --- signing up
    def parse(self, fields: rules.SignUpFields) -> rules.WellFormed | rules.Malformed:
        """Checks the syntax of a sign-up, for `init` and `init_trusted`."""
        return rules.parse_sign_up(fields, self._policy.reserved, self._parts.hasher.is_guessable)

    async def init(
        self,
        sign_up: rules.WellFormed | rules.Malformed,
        link_base: str,
        address: str = "",
        answer: CaptchaAnswer = CaptchaAnswer(),  # noqa: B008  (frozen)
        invitation: str | None = None,
    ) -> rules.InvalidData | BadCaptcha | rules.TooManyPending | DoorRefusal | None:
        """Begins a sign-up; None when its mail is in the outbox.

        link_base: scheme, host and path before /confirm. address: the client's, "" if it is unknown.
        answer: of a captcha. A malformed sign-up costs none.
        """
        who = _newcomer(self._parts.pepper, sign_up, invitation, address)
        if refusal := await self._parts.gate.refusal(who):
            return worded(refusal)
        if isinstance(sign_up, rules.WellFormed) and not await is_passed(self._parts.captcha, answer):
            return BadCaptcha()
        # With reveal_existing = false, a malformed sign-up must not reveal what is taken either, and it has passed no captcha.
        reveals = self._policy.reveal_existing and self._parts.captcha is None
        ask = reveals or isinstance(sign_up, rules.WellFormed)
        taken = await self._taken(sign_up) if ask else ()
        if isinstance(sign_up, rules.Malformed):
            return rules.InvalidData((*sign_up.faults, *taken))
        if taken and self._policy.reveal_existing:
            return rules.InvalidData(taken)
        return await self._begin(sign_up, taken, link_base, who)

    async def _begin(
        self, sign_up: rules.WellFormed, taken: tuple[rules.SignUpFault, ...], link_base: str, who: Newcomer
    ) -> rules.TooManyPending | None:
        password_hash = await self._parts.hasher.hash(sign_up.password)
        below = self._parts.randomness.below
        challenge = rules.new_challenge([below(62) for _ in range(rules.CHALLENGE_LENGTH)])
        now, ttl = self._parts.clock.now(), self._policy.pending_ttl
        pending = PendingCreation(
            username=sign_up.username,
            email=sign_up.email,
            password_hash=password_hash,
            language=sign_up.language,
            created_at=now,
            expires_at=after(now, ttl),
            account=None,
            network=coarse_network(who.address),
            invitation=who.invitation,
        )
        link = f"{link_base}/confirm?lang={sign_up.language}#{challenge}"
        # Rendered before the transaction: all other units wait for the writer thread.
        mail = self._write_mail(sign_up, taken, {"link": link, "code": challenge}, pending.expires_at)

        address = self._contact_key(sign_up.email_key)
        budgets = mail_budgets(self._parts.pepper, address)

        async def work(transaction: Transaction) -> rules.TooManyPending | None:
            await transaction.lock(Lock.EMAIL, address)
            count = await transaction.directory.count_pending(sign_up.email_key, Instant(now - ttl))
            if count >= rules.MAX_PENDING_PER_EMAIL:
                return rules.TooManyPending(ttl.whole_seconds)
            until = await transaction.budgets.spend(budgets, now)
            if until is not None:
                return rules.TooManyPending(max(1, -(-(until - now) // SECOND)))
            # A sign-up that cannot succeed is stored too, so that it counts towards the address's limit.
            await transaction.directory.add_pending(hash_secret(challenge), pending)
            await self._parts.outbox.enqueue(transaction, mail)
            return None

        return await self._parts.store.write(work)

    def _write_mail(
        self,
        sign_up: rules.WellFormed,
        taken: tuple[rules.SignUpFault, ...],
        secrets: Mapping[str, str],
        expires_at: Instant,
    ) -> Mail:
        """The mail for a sign-up. taken: its taken fields; with any, the mail says so and has no secrets (link and code)."""
        templates, language, to = self._parts.mail_templates, sign_up.language, sign_up.email
        if "taken_email" in taken:
            return templates.write("email_taken", language, to, {})
        values = {"username": sign_up.username}
        if taken:
            return templates.write("name_taken", language, to, values)
        values |= {**secrets, "hours": str(-(-self._policy.pending_ttl // HOUR))}
        return templates.write("confirm", language, to, values, expires_at)

    async def init_trusted(
        self, sign_up: rules.WellFormed | rules.Malformed, address: str = "", invitation: str | None = None
    ) -> Allotted | rules.InvalidData | DoorRefusal:
        """Signs up a user whom a trusted platform vouches for: an account at once, without a mail.

        The platform's word stands for the mail alone, not for an invitation or approval. address: see `init`.
        """
        who = _newcomer(self._parts.pepper, sign_up, invitation, address)
        if refusal := await self._parts.gate.refusal(who):
            return worded(refusal)
        taken = await self._taken(sign_up)
        if isinstance(sign_up, rules.Malformed):
            return rules.InvalidData((*sign_up.faults, *taken))
        if taken:
            return rules.InvalidData(taken)
        password_hash = await self._parts.hasher.hash(sign_up.password)
        entry = await self._parts.gate.enter(who, sign_up.username, "directory", sign_up.language)
        person = NewUser(sign_up.username, sign_up.email, password_hash, entry)

        async def work(transaction: Transaction) -> Allotted | rules.InvalidData | DoorRefusal:
            match await add_user(transaction, self._parts, self._policy.servers, person):
                case RegistrationClosed() | InvitationRequired() | TooManyRequests() as refused:
                    return worded(refused)
                case UsernameTaken() | EmailTaken() as refusal:
                    return rules.InvalidData((TAKEN[type(refusal)],))
                case (_, allotted):
                    return allotted

        return await self._parts.store.write(work)

    async def _taken(self, sign_up: rules.WellFormed | rules.Malformed) -> tuple[rules.SignUpFault, ...]:
        """The well-formed fields that are taken."""
        name, now = sign_up.name_key, self._parts.clock.now()
        contact = None if sign_up.email_key is None else self._contact_key(sign_up.email_key)
        taken = await self._parts.store.look_up(
            lambda transaction: find_taken(transaction, name, contact, now)
        )
        return tuple(TAKEN[type(refusal)] for refusal in taken)

    def _contact_key(self, email: EmailKey) -> ContactKey:
        return self._parts.pepper.contact_key(Contact("email", email))

    # --- confirming
    async def confirm(
        self, challenge: str, address: str = ""
    ) -> Allotted | rules.InvalidChallenge | ConfirmRefusal:
        """Creates the account. Repetitions change nothing and return AlreadyConfirmed. address: the client's."""
        if not rules.is_challenge(challenge):
            return rules.InvalidChallenge()
        key = hash_secret(challenge)
        pending = await self._parts.store.read(lambda transaction: transaction.directory.pending(key))
        return await self._settle(key, pending, address)

    async def _settle(
        self, key: SecretHash, pending: PendingCreation | None, address: str, new_hash: str | None = None
    ) -> Allotted | ConfirmRefusal:
        entry = None
        if pending is not None and pending.email is not None:
            who = newcomer(self._parts.pepper, email_key(pending.email), pending.invitation, address)
            entry = await self._parts.gate.enter(who, pending.username, "directory", pending.language)
        return await self._parts.store.write(
            lambda transaction: self._confirm(transaction, key, entry, new_hash)
        )

    async def confirm_as_owner(
        self, challenge: str, password: str, *, is_new: bool, address: str = ""
    ) -> Allotted | WrongPassword | rules.InvalidChallenge | ConfirmRefusal:
        """Creates the account for the reader of the mailbox, who has to show that the sign-up was theirs.

        password: of the sign-up; with is_new the account's own from now on, in place of that of the sign-up. So nobody
        confirms an account that a stranger can sign in to. InvalidData has the fault bad_password alone.
        """
        if not rules.is_challenge(challenge):
            return rules.InvalidChallenge()
        key, hasher = hash_secret(challenge), self._parts.hasher
        pending = await self._parts.store.look_up(lambda transaction: transaction.directory.pending(key))
        new_hash: str | None = None
        if pending is not None and pending.account is None and self._parts.clock.now() < pending.expires_at:
            if not is_new and not await hasher.verify(password, pending.password_hash):
                return WrongPassword()
            if is_new:
                own = (pending.username, pending.email)
                if not is_directory_password(password) or hasher.is_guessable(password, *own):
                    return rules.InvalidData(("bad_password",))
                new_hash = await hasher.hash(password)
        return await self._settle(key, pending, address, new_hash)

    async def _confirm(
        self, transaction: Transaction, key: SecretHash, entry: GateEntry | None, new_hash: str | None = None
    ) -> Allotted | ConfirmRefusal:
        pending = await transaction.directory.pending(key)
        if pending is None:
            return rules.NoPendingCreation()
        if pending.account is not None:
            account = await transaction.accounts.by_id(pending.account)
            return rules.AlreadyConfirmed(account.server if account else None)
        if self._parts.clock.now() >= pending.expires_at:
            return rules.NoPendingCreation()
        password_hash = new_hash or pending.password_hash
        match await add_user(
            transaction,
            self._parts,
            self._policy.servers,
            NewUser(pending.username, pending.email, password_hash, entry),
        ):
            case RegistrationClosed() | InvitationRequired() | TooManyRequests() as refused:
                return worded(refused)
            case UsernameTaken():
                winner = await transaction.accounts.by_name(name_key(pending.username))
                if winner is None:  # reserved by a sign-up of another door, which may still fail
                    return rules.InvalidData(("taken_name",))
                await transaction.directory.settle(key, winner.id)
                return rules.AlreadyConfirmed(winner.server)
            case EmailTaken():
                return rules.InvalidData(("taken_email",))
            case (added, allotted):
                await transaction.directory.settle(key, added)
                return allotted

    async def challenge_status(self, challenge: str) -> ChallengeStatus:
        """The state of the challenge; changes nothing."""
        if not rules.is_challenge(challenge):
            return ChallengeStatus("unknown")
        key = hash_secret(challenge)
        return await self._parts.store.look_up(lambda transaction: self._status(transaction, key))

    async def _status(self, transaction: Transaction, key: SecretHash) -> ChallengeStatus:
        pending = await transaction.directory.pending(key)
        if pending is None or (pending.account is None and self._parts.clock.now() >= pending.expires_at):
            return ChallengeStatus("unknown")
        account = (
            await transaction.accounts.by_name(name_key(pending.username))
            if pending.account is None
            else await transaction.accounts.by_id(pending.account)
        )
        if account is not None:
            return ChallengeStatus("confirmed", pending.username, account.server)
        begun_at, network = pending.created_at, pending.network
        return ChallengeStatus("pending", pending.username, begun_at=begun_at, network=network)

    # --- operating
    async def recount(self) -> None:
        """Counts the users of every server again, at start and at reload, since deletions are not subtracted."""
        await self._parts.store.write(lambda transaction: transaction.directory.recount())

    def take(self, servers: Sequence[str], reserved: Sequence[str]) -> None:
        """Applies other servers and reserved names to all later sign-ups."""
        self._policy = msgspec.structs.replace(self._policy, servers=tuple(servers), reserved=tuple(reserved))


def _newcomer(
    pepper: Pepper, sign_up: rules.WellFormed | rules.Malformed, invitation: str | None, address: str
) -> Newcomer:
    who = newcomer(pepper, sign_up.email_key, invitation_hash(invitation), address)
    named = sign_up.username if isinstance(sign_up, rules.WellFormed) else ""
    return msgspec.structs.replace(who, username=named)
