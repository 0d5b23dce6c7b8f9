"""Changes of password and address: one address for one account, links that are used once, and an end that comes first or last."""

from collections.abc import Callable
from functools import partial
from typing import Any

from regserver.domain.instant import HOUR, after
from regserver.domain.link import AccountLink, LinkPurpose
from regserver.domain.secret import hash_secret
from regserver.ports.passkey_table import Passkey
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_recovery import AccountRecovery, AccountRecoveryParts
from regserver.service.outbox import Outbox
from regserver.service.password_change import PasswordChange, PasswordChangeParts
from regserver.service.reauthentication import Reauthentication
from tests.address import open_address_change
from tests.authenticator import Authenticator
from tests.fake import PEPPER, SeededRandomness, claim_of
from tests.guess import HOME, MAIL_TEMPLATES, open_guard
from tests.live_world import CountingHasher
from tests.passkey import SITE, open_passkeys
from tests.store.meeting.account import add_key, verify
from tests.store.meeting.room import Door, NoSockets
from tests.store.race import Racer, Racers, Scenario, rows

OLD, NEW, OTHER = "the old password", "quite another phrase", "one more phrase"
LINKS: tuple[tuple[str, LinkPurpose, str, str], ...] = (
    ("ann", "change_email", "link of ann", "new@example.org"),
    ("cid", "change_email", "link of cid", "New@example.org"),
    ("bob", "verify_email", "link of bob", "new@example.org"),
    ("bob", "change_email", "other link of bob", "old@example.org"),
    ("ann", "undo_email", "undo of ann", "old@example.org"),
    ("ann", "recover", "recovery of ann", ""),
)


class Desk:
    """Ann has verified ann@, and had old@ before; Bob wishes for new@, which Ann and Cid change to. Each has a session."""

    def __init__(self, store: Store) -> None:
        self.door = Door(store)
        self.hasher = CountingHasher()
        self.outbox = Outbox(self.door.clock, SeededRandomness(2), bytes(32))

    async def open(self) -> None:
        door = self.door
        await door.people("ann", "bob", "cid")
        await self._add_passkey()
        password, now = await self.hasher.hash(OLD), door.clock.now()

        async def work(transaction: Transaction) -> None:
            ann, claim = door.ids["ann"], claim_of("ann@example.org")
            await transaction.accounts.renew_password_hash(ann, "", password, now)
            await transaction.accounts.change_email(ann, "ann@example.org", now)
            await transaction.contacts.claim(claim.key, "email", ann, now)
            await transaction.accounts.change_email(door.ids["bob"], "new@example.org", now)
            await transaction.accounts.verify_email(door.ids["bob"], None)
            for name, purpose, secret, email in LINKS:
                link = AccountLink(
                    account=door.ids[name], purpose=purpose, email=email or None, expires_at=after(now, HOUR)
                )
                await transaction.links.add(hash_secret(secret), link)

        await door.store.write(work)

    def undo(self) -> Racer:
        door = self.door
        change = open_address_change(door.store, door.clock, door.identity, NoSockets())
        return partial(change.undo, "undo of ann", "https://example.org")

    def change_password(self) -> Racer:
        door = self.door
        again = Reauthentication(door.identity, open_guard(door.store, door.clock), self.hasher)
        passwords = PasswordChange(
            PasswordChangeParts(
                identity=door.identity,
                again=again,
                hasher=self.hasher,
                outbox=self.outbox,
                mail_templates=MAIL_TEMPLATES,
                broker=NoSockets(),
            )
        )
        return partial(passwords.change, door.tokens["ann"], OLD, NEW, HOME)

    def recover(self) -> Racer:
        door = self.door
        recovery = AccountRecovery(
            AccountRecoveryParts(
                store=door.store,
                clock=door.clock,
                randomness=SeededRandomness(5),
                hasher=self.hasher,
                identity=door.identity,
                guard=open_guard(door.store, door.clock),
                outbox=self.outbox,
                mail_templates=MAIL_TEMPLATES,
                pepper=PEPPER,
                broker=NoSockets(),
            )
        )
        return partial(recovery.reset, "recovery of ann", OTHER)

    async def _add_passkey(self) -> None:
        """With a passkey of Ann's, and its answer, which signs her in."""
        door = self.door
        self.passkeys = open_passkeys(door.store, door.clock, door.identity, NoSockets())
        key, token = Authenticator(SITE.origin), door.tokens["ann"]
        options: Any = await self.passkeys.options(token, SITE, None, HOME)
        assert isinstance(await self.passkeys.add(token, SITE, key.make(options), "Key"), Passkey)
        request: Any = self.passkeys.request(SITE)
        self.answer = key.answer(request)

    def sign_in_with_passkey(self) -> Racer:
        return partial(self.passkeys.sign_in, SITE, self.answer, HOME)

    async def observe(self) -> object:
        """Whose addresses there are, what is left to be used, how many were told, and which password is Ann's."""
        accounts = "SELECT name_key, email, email_verified_at IS NULL FROM account ORDER BY name_key"
        contacts = "SELECT contact, account_id FROM verified_contact ORDER BY contact"
        links = "SELECT account_id, purpose FROM account_link ORDER BY account_id, purpose"
        left = "SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM outbox), (SELECT count(*) FROM passkey)"
        seen = [await rows(self.door.store, statement) for statement in (accounts, contacts, links, left)]
        ((known,),) = await rows(self.door.store, "SELECT password_hash FROM account WHERE name_key = 'ann'")
        return seen, [bool(await self.hasher.verify(each, known)) for each in (OLD, NEW, OTHER)]


def between(name: str, pair: Callable[[Desk], tuple[Racer, Racer]], lock: Lock | None = None) -> Scenario:
    async def prepare(store: Store) -> Racers:
        desk = Desk(store)
        await desk.open()
        return Racers(*pair(desk), desk.observe)

    return Scenario(name, prepare, lock)


SCENARIOS = (
    between(
        "an account changes to an address that another verifies",
        lambda desk: (verify(desk.door, "ann"), verify(desk.door, "bob")),
        Lock.EMAIL,
    ),
    between(
        "two accounts change to one address",
        lambda desk: (verify(desk.door, "ann"), verify(desk.door, "cid")),
        Lock.EMAIL,
    ),
    between(
        "a change of address is confirmed twice",
        lambda desk: (verify(desk.door, "ann"), verify(desk.door, "ann")),
    ),
    between(
        "a change of address is confirmed while its account is deleted",
        lambda desk: (verify(desk.door, "ann"), partial(desk.door.delete, "ann")),
        Lock.ACCOUNT,
    ),
    between(
        "a change of address is confirmed beside an undoing of the one before",
        lambda desk: (verify(desk.door, "ann"), desk.undo()),
        Lock.ACCOUNT,
    ),
    between("an undoing twice", lambda desk: (desk.undo(), desk.undo())),
    between(
        "an undoing while the account is deleted",
        lambda desk: (desk.undo(), partial(desk.door.delete, "ann")),
        Lock.ACCOUNT,
    ),
    between(
        "a change of the password beside a recovery",
        lambda desk: (desk.change_password(), desk.recover()),
        Lock.ACCOUNT,
    ),
    between(
        "a recovery beside a change of the password",
        lambda desk: (desk.recover(), desk.change_password()),
        Lock.ACCOUNT,
    ),
    between(
        "a passkey is added beside an undoing",
        lambda desk: (add_key(desk.door, "key"), desk.undo()),
        Lock.ACCOUNT,
    ),
    between(
        "a sign-in with a passkey beside an undoing",
        lambda desk: (desk.sign_in_with_passkey(), desk.undo()),
        Lock.ACCOUNT,
    ),
    between(
        "an undoing beside a change of the password",
        lambda desk: (desk.undo(), desk.change_password()),
        Lock.ACCOUNT,
    ),
)
