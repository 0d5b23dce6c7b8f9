"""Invitations and approvals: the last use is spent once, and a wait ends once."""

from collections.abc import Callable
from functools import partial

from regserver.domain.account import NewAccount, name_key
from regserver.domain.instant import DAY, after
from regserver.domain.invitation import InvitationId, NewInvitation
from regserver.domain.link import AccountLink
from regserver.domain.secret import hash_secret
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import refuse_waiting
from regserver.service.add_account import add_account
from regserver.service.outbox import Outbox
from regserver.service.sign_up_gate import GateEntry
from tests.address import open_address_change, open_addresses
from tests.fake import SeededRandomness, claim_of
from tests.gate import open_desk
from tests.store.meeting.room import Door, NoSockets
from tests.store.race import Racer, Racers, Scenario, rows

SECRET = hash_secret("regi_secret")
INVITE = GateEntry(policy=DoorPolicy("invite"), invitation=SECRET)
OURS = "ann@school.example"


async def observe(store: Store) -> object:
    accounts = await rows(
        store, "SELECT name_key, waits_for, deleted_at IS NULL FROM account ORDER BY name_key"
    )
    invitations = await rows(store, "SELECT used FROM invitation ORDER BY id")
    links = await rows(store, "SELECT purpose FROM account_link ORDER BY purpose")
    mails = await rows(store, "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM waiting_mail)")
    return accounts, invitations, links, mails


def between(name: str, pair: Callable[[Door], tuple[Racer, Racer]], lock: Lock | None = None) -> Scenario:
    async def prepare(store: Store) -> Racers:
        door = Door(store)
        await fill(door)
        return Racers(*pair(door), partial(observe, store))

    return Scenario(name, prepare, lock)


async def fill(door: Door) -> None:
    """An invitation for one account, and Ann, who waits with a link of the operator's and one that verifies her address."""
    now = door.clock.now()
    one = NewInvitation(uses=1, note="", contact=None, mask=None, created_at=now, expires_at=after(now, DAY))
    claim = claim_of(OURS, is_verified=False)
    ann = NewAccount(
        username="ann", email=OURS, origin="rooms", created_at=now, contact=claim, waits_for="verification"
    )

    async def work(transaction: Transaction) -> None:
        await transaction.invitations.add(SECRET, one)
        made = await add_account(transaction, ann)
        assert isinstance(made, int)
        await transaction.waiting.keep_mail(made, b"sealed")
        for purpose, email in (("approve", None), ("verify_email", OURS)):
            link = AccountLink(account=made, purpose=purpose, email=email, expires_at=after(now, DAY))  # type: ignore[arg-type]
            await transaction.links.add(hash_secret(f"to {purpose}"), link)

    await door.store.write(work)


def join(door: Door, name: str) -> Racer:
    async def work(transaction: Transaction) -> object:
        new = NewAccount(username=name, origin="rooms", created_at=door.clock.now())
        made = await add_account(transaction, new, entry=INVITE)
        return "made" if isinstance(made, int) else made

    return lambda: door.store.write(work)


def revoke(door: Door) -> Racer:
    async def work(transaction: Transaction) -> bool:
        (found,) = await transaction.invitations.list(door.clock.now(), 10)
        return await transaction.invitations.revoke(InvitationId(found.id))

    return lambda: door.store.write(work)


def outbox(door: Door) -> Outbox:
    return Outbox(door.clock, SeededRandomness(), bytes(32))


def approve(door: Door) -> Racer:
    return lambda: open_desk(door.store, door.clock, outbox(door)).approve("to approve")


def verify(door: Door) -> Racer:
    change = open_address_change(door.store, door.clock, door.identity, NoSockets())
    addresses = open_addresses(door.store, door.clock, door.identity, NoSockets(), change)
    return lambda: addresses.verify("to verify_email", "")


def reject(door: Door) -> Racer:
    async def work(transaction: Transaction) -> bool:
        ann = await transaction.accounts.by_name(name_key("ann"))
        assert ann is not None
        return await refuse_waiting(transaction, ann.id, door.clock.now())

    return lambda: door.store.write(work)


SCENARIOS = (
    between("two sign-ups with the last use of an invitation", lambda d: (join(d, "bob"), join(d, "cid"))),
    between("a sign-up while its invitation is revoked", lambda d: (join(d, "bob"), revoke(d))),
    between("an invitation is revoked during a sign-up", lambda d: (revoke(d), join(d, "bob"))),
    between("the operator's link is used twice", lambda d: (approve(d), approve(d))),
    between("an approval beside the verification", lambda d: (approve(d), verify(d))),
    between("a verification beside the approval", lambda d: (verify(d), approve(d))),
    between("an approval beside a refusal", lambda d: (approve(d), reject(d)), Lock.ACCOUNT),
    between("a refusal beside an approval", lambda d: (reject(d), approve(d)), Lock.ACCOUNT),
    between("a verification beside a refusal", lambda d: (verify(d), reject(d))),
)
