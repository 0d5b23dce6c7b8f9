"""Accounts: one name, one address, one password hash, tokens and rewards."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from regserver.domain.account import AccountId, NewAccount, name_key
from regserver.domain.factor import FactorTicket, RecoveryHasher
from regserver.domain.guess import CounterKey
from regserver.domain.instant import after
from regserver.domain.link import AccountLink
from regserver.domain.passkey import MOST_PASSKEYS
from regserver.domain.secret import hash_secret
from regserver.ports.passkey_table import NewPasskey
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.add_account import add_account
from regserver.service.onboarding_service import MAX_REWARDS, OnboardingService
from regserver.service.passkey_service import add_passkey
from tests.address import open_address_change, open_addresses
from tests.deletion import open_erasure, restore_account
from tests.factor import open_factor_service
from tests.fake import SeededRandomness, claim_of
from tests.guess import HOME
from tests.store.meeting.room import Door, NoSockets
from tests.store.race import Racer, Racers, Scenario, rows

Pair = Callable[[Door], tuple[Racer, Racer]]
USER_ID = "reg1abcdefgh"
TICKET = hash_secret("a ticket")
FACTOR_TICKET, CODES = "regf_a ticket", ("first", "second")
NO_FAILURE, ONE_FAILURE = CounterKey(b"none"), CounterKey(b"one")
REWARDS = """
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO steps_reward (user_id, reason, community, granted_at) SELECT ?, 'earlier', 'c' || n, 0 FROM number
"""


async def observe(door: Door) -> object:
    """Accounts and names with all that the scenarios change, but no ids that a repeated unit uses up."""
    accounts = await rows(
        door.store,
        "SELECT name_key, email_key, email_verified_at IS NULL, password_hash FROM account ORDER BY name_key",
    )
    contacts = await rows(
        door.store,
        "SELECT name_key, contact FROM verified_contact JOIN account ON id = account_id ORDER BY name_key",
    )
    names = await rows(door.store, "SELECT name_key, substr(holder, 1, 4), expires_at FROM name ORDER BY 1")
    tokens = await rows(door.store, "SELECT count(*) FROM token")
    rewards = await rows(door.store, "SELECT user_id, reason, community FROM steps_reward ORDER BY 3")
    guesses = await rows(door.store, "SELECT counter, failures FROM guess ORDER BY counter")
    factors = await rows(
        door.store,
        "SELECT (SELECT count(*) FROM recovery_code), (SELECT count(*) FROM factor_ticket), (SELECT count(*) FROM passkey)",
    )
    return accounts, contacts, names, tokens, len(rewards), guesses, factors


async def ann(store: Store) -> Door:
    door = Door(store)
    await door.people("ann")
    await change_password(door, "old")()
    return door


def between(
    name: str, pair: Pair, lock: Lock | None = None, fill: Callable[[Store], Awaitable[Door]] = ann
) -> Scenario:
    async def prepare(store: Store) -> Racers:
        door = await fill(store)
        return Racers(*pair(door), partial(observe, door))

    return Scenario(name, prepare, lock)


async def sign_up(door: Door, name: str, email: str | None = None, *, is_verified: bool = True) -> object:
    claim = None if email is None else claim_of(email, is_verified=is_verified)
    new = NewAccount(username=name, email=email, origin="rooms", created_at=door.clock.now(), contact=claim)

    async def work(transaction: Transaction) -> object:
        if claim is not None:
            await transaction.lock(Lock.EMAIL, claim.key)
        return await add_account(transaction, new)

    made = await door.store.write(work)
    return "made" if isinstance(made, int) else made


async def wishing(store: Store) -> Door:
    """Bob and Cid, who both say that an address is theirs, each with a link that verifies it, and a session of Bob's."""
    door = Door(store)
    await door.people("bob", "cid")

    async def work(transaction: Transaction) -> None:
        statement = "UPDATE account SET email = 'B@example.org', email_key = 'b@example.org'"
        await transaction.accounts._sql.run(statement)  # type: ignore[attr-defined]
        for name in ("bob", "cid"):
            link = AccountLink(
                account=door.ids[name],
                purpose="verify_email",
                email="B@example.org",
                expires_at=after(door.clock.now(), 1000),
            )
            await transaction.links.add(hash_secret(f"link of {name}"), link)

    await store.write(work)
    return door


def verify(door: Door, name: str) -> Racer:
    """Uses the link of this person, for a sign-up or a change."""
    of_door = door.store, door.clock, door.identity, NoSockets()
    service = open_addresses(*of_door, open_address_change(*of_door))
    return lambda: service.verify(f"link of {name}", "https://example.org")


async def deleted(store: Store) -> Door:
    door = await ann(store)
    await door.delete("ann")
    return door


async def deleted_with_name(store: Store) -> Door:
    """The same by a sign-up, which takes the name."""
    door = Door(store)
    now = door.clock.now()

    async def work(transaction: Transaction) -> AccountId:
        made = await add_account(transaction, NewAccount(username="ann", origin="rooms", created_at=now))
        assert isinstance(made, int)
        await transaction.accounts.mark_deleted(made, now)
        return made

    door.ids["ann"] = await store.write(work)
    return door


def restore(door: Door) -> Racer:
    async def run() -> object:
        now, account = door.clock.now(), door.ids["ann"]
        return await door.store.write(lambda transaction: restore_account(transaction, account, now))

    return run


def erase(door: Door) -> Racer:
    """At the end of the time of grace."""
    return partial(open_erasure(door.store, door.clock).erase, door.ids["ann"], door.clock.now())


async def reserve(door: Door, name: str, holder: str) -> object:
    now = door.clock.now()
    return await door.store.write(
        lambda transaction: transaction.names.claim(name_key(name), holder, after(now, 1000), now)
    )


def renew(door: Door, known: str, renewed: str) -> Racer:
    now, ann = door.clock.now(), door.ids["ann"]
    return lambda: door.store.write(lambda t: t.accounts.renew_password_hash(ann, known, renewed, now))


def change_password(door: Door, changed: str) -> Racer:
    async def work(transaction: Any) -> None:
        statement = "UPDATE account SET password_hash = ? WHERE id = ?"
        await transaction.accounts._sql.run(statement, changed, door.ids["ann"])

    return lambda: door.store.write(work)


def grant(door: Door, community: str) -> Racer:
    return lambda: OnboardingService(door.store, door.clock).subscribed(USER_ID, [community])


def guess_wrong(door: Door, counter: CounterKey) -> Racer:
    now, ann = door.clock.now(), door.ids["ann"]

    async def fail() -> object:
        count = await door.store.write(lambda transaction: transaction.guesses.count(counter, ann, now))
        return "the last" if count == 2 else "not the last"

    return fail


def forget_guesses(door: Door, counter: CounterKey) -> Racer:
    return lambda: door.store.write(lambda transaction: transaction.guesses.clear(counter))


async def guessed(store: Store) -> Door:
    """Ann, with one failure at ONE_FAILURE."""
    door = await ann(store)
    await guess_wrong(door, ONE_FAILURE)()
    return door


async def registered(store: Store) -> Door:
    """Ann, and somebody of the steps door with one reward less than there may be."""
    door = Door(store)
    await door.people("ann")
    new = NewAccount(username="eve", origin="steps", ledger_name=USER_ID, created_at=door.clock.now())

    async def work(transaction: Any) -> None:
        await transaction.accounts.add(new)
        await transaction.accounts._sql.run(REWARDS, MAX_REWARDS - 1, USER_ID)

    await store.write(work)
    return door


async def with_ticket(store: Store) -> Door:
    door = Door(store)
    await door.people("ann")
    until = after(door.clock.now(), 1000)
    await store.write(lambda t: t.tokens.add_ticket(TICKET, door.tokens["ann"], until))
    return door


async def with_factor(store: Store) -> Door:
    """Ann, with recovery codes and a ticket that asks for one."""
    door = await ann(store)
    account, hasher = door.ids["ann"], RecoveryHasher(bytes(32))

    async def work(transaction: Transaction) -> None:
        await transaction.factors.replace_codes(account, [hasher.of(account, code) for code in CODES])
        ticket = FactorTicket(account, "sign_in", after(door.clock.now(), 1000))
        await transaction.factors.add_ticket(hash_secret(FACTOR_TICKET), ticket, 20)

    await store.write(work)
    return door


def answer(door: Door, code: str) -> Racer:
    """A recovery code with Ann's ticket."""
    service = open_factor_service(door.store, door.clock, door.identity, NoSockets(), SeededRandomness())
    return partial(service.sign_in, FACTOR_TICKET, code, HOME)


async def with_passkeys(store: Store) -> Door:
    """Ann, with one passkey less than she may have."""
    door = await ann(store)
    for number in range(MOST_PASSKEYS - 1):
        await add_key(door, str(number))()
    return door


def add_key(door: Door, name: str) -> Racer:
    account, now = door.ids["ann"], door.clock.now()
    new = NewPasskey(
        credential=name.encode(), account=account, public_key=b"", sign_count=0, name=name, created_at=now
    )
    token = door.tokens["ann"]
    return lambda: door.identity.write_locked(
        token, lambda transaction, _account, _now: add_passkey(transaction, new)
    )


SCENARIOS = (
    between(
        "two sign-ups of one name and address",
        lambda door: (
            partial(sign_up, door, "bob", "bob@example.org"),
            partial(sign_up, door, "bob", "bob@example.org"),
        ),
    ),
    between(
        "two sign-ups of one name",
        lambda door: (partial(sign_up, door, "bob", "b@example.org"), partial(sign_up, door, "Bob")),
        Lock.NAME,
    ),
    between(
        "two sign-ups of one address",
        lambda door: (
            partial(sign_up, door, "bob", "b@example.org"),
            partial(sign_up, door, "cid", "B@example.org"),
        ),
    ),
    between(
        "an address is verified beside a wish for it",
        lambda door: (
            partial(sign_up, door, "bob", "b@example.org"),
            partial(sign_up, door, "cid", "B@example.org", is_verified=False),
        ),
        Lock.EMAIL,
    ),
    between(
        "a wish for an address beside its verification",
        lambda door: (
            partial(sign_up, door, "cid", "B@example.org", is_verified=False),
            partial(sign_up, door, "bob", "b@example.org"),
        ),
        Lock.EMAIL,
    ),
    between(
        "two accounts verify one address",
        lambda door: (verify(door, "bob"), verify(door, "cid")),
        Lock.EMAIL,
        wishing,
    ),
    between("a link is used twice", lambda door: (verify(door, "bob"), verify(door, "bob")), None, wishing),
    between(
        "an address is verified beside a sign-up at another door",
        lambda door: (verify(door, "bob"), partial(sign_up, door, "dan", "b@example.org")),
        Lock.EMAIL,
        wishing,
    ),
    between(
        "an address is verified while its account is deleted",
        lambda door: (verify(door, "bob"), partial(door.delete, "bob")),
        Lock.ACCOUNT,
        wishing,
    ),
    between(
        "a sign-up and a reservation",
        lambda door: (partial(sign_up, door, "bob"), partial(reserve, door, "bob", "steps:1")),
    ),
    between(
        "a reservation and a sign-up",
        lambda door: (partial(reserve, door, "bob", "steps:1"), partial(sign_up, door, "bob")),
    ),
    between(
        "two reservations",
        lambda door: (partial(reserve, door, "bob", "steps:1"), partial(reserve, door, "bob", "live:1")),
    ),
    between(
        "a new hash and a new password",
        lambda door: (renew(door, "old", "renewed"), change_password(door, "new")),
    ),
    between(
        "a new password and a new hash",
        lambda door: (change_password(door, "new"), renew(door, "old", "renewed")),
    ),
    between(
        "two first failures at one account",
        lambda door: (guess_wrong(door, NO_FAILURE), guess_wrong(door, NO_FAILURE)),
    ),
    between(
        "two failures at one account",
        lambda door: (guess_wrong(door, ONE_FAILURE), guess_wrong(door, ONE_FAILURE)),
        None,
        guessed,
    ),
    between(
        "a failure and a success",
        lambda door: (guess_wrong(door, ONE_FAILURE), forget_guesses(door, ONE_FAILURE)),
        None,
        guessed,
    ),
    between("the last reward", lambda door: (grant(door, "a"), grant(door, "b")), Lock.ACCOUNT, registered),
    between("one reward twice", lambda door: (grant(door, "a"), grant(door, "a")), None, registered),
    between(
        "a ticket is used twice",
        lambda door: (
            partial(door.identity.redeem_ticket, TICKET),
            partial(door.identity.redeem_ticket, TICKET),
        ),
        None,
        with_ticket,
    ),
    between(
        "the last passkey",
        lambda door: (add_key(door, "one"), add_key(door, "other")),
        Lock.ACCOUNT,
        with_passkeys,
    ),
    between(
        "a ticket is used with two codes",
        lambda door: (answer(door, CODES[0]), answer(door, CODES[1])),
        Lock.ACCOUNT,
        with_factor,
    ),
    between(
        "a ticket is used while its account is deleted",
        lambda door: (answer(door, CODES[0]), partial(door.delete, "ann")),
        None,
        with_factor,
    ),
    between("an erasure and a restoration", lambda door: (erase(door), restore(door)), Lock.ACCOUNT, deleted),
    between("two erasures", lambda door: (erase(door), erase(door)), Lock.ACCOUNT, deleted),
    between(
        "an erasure and a sign-up with the name",
        lambda door: (erase(door), partial(sign_up, door, "ann")),
        None,
        deleted_with_name,
    ),
    between(
        "a ticket for a session that ends",
        lambda door: (
            partial(door.identity.issue_ticket, door.tokens["ann"]),
            partial(door.accounts.sign_out, door.tokens["ann"], everywhere=True),
        ),
    ),
)
