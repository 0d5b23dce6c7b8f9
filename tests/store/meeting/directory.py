"""The directory: waiting creations, confirmations, servers, and the outbox that its mail leaves by."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from regserver.domain.directory import MAX_PENDING_PER_EMAIL
from regserver.domain.instant import after
from regserver.ports.store import Store
from regserver.ports.transaction import Lock
from tests.directory import BASE, World, sign_up
from tests.store.race import Racer, Racers, Scenario, rows

SERVERS = ("one.example.org", "two.example.org")
MAILBOX = "ann@example.org"
Fill = Callable[[World], Awaitable[tuple[Racer, Racer]]]


async def observe(world: World) -> object:
    """Accounts with their servers, what waits, what the servers count, and the outbox."""
    return [
        await rows(world.store, statement)
        for statement in (
            "SELECT name_key FROM account ORDER BY 1",
            "SELECT server, count(*) FROM account GROUP BY server ORDER BY 1",
            "SELECT username, email, account_id IS NULL FROM pending_creation WHERE username NOT LIKE 'user%' ORDER BY 1",
            "SELECT server, users FROM directory_server ORDER BY 1",
            "SELECT node, attempts FROM outbox ORDER BY 1, 2",
        )
    ]


def between(name: str, fill: Fill, lock: Lock | None = None, servers: tuple[str, ...] = SERVERS) -> Scenario:
    async def prepare(store: Store) -> Racers:
        world = World(store, servers=servers, reveal_existing=True)
        return Racers(*await fill(world), partial(observe, world))

    return Scenario(name, prepare, lock)


async def last_creation(world: World) -> tuple[Racer, Racer]:
    """All that may wait for one address but one."""
    now = world.clock.now()

    async def work(transaction: Any) -> None:
        for number in range(MAX_PENDING_PER_EMAIL - 1):
            await transaction.accounts._sql.run(
                "INSERT INTO pending_creation (challenge_hash, username, email, email_key, language, created_at,"
                " expires_at) VALUES (?, ?, ?, ?, 'en', ?, ?)",
                b"%d" % number,
                f"user{number}",
                MAILBOX,
                MAILBOX,
                now,
                after(now, 1000),
            )

    await world.store.write(work)
    return (
        partial(world.directory.init, sign_up("alice", MAILBOX), BASE),
        partial(world.directory.init, sign_up("alina", MAILBOX), BASE),
    )


async def confirmed_twice(world: World) -> tuple[Racer, Racer]:
    challenge = await world.begin("alice")
    return partial(world.directory.confirm, challenge), partial(world.directory.confirm, challenge)


async def confirmed_by_two(world: World) -> tuple[Racer, Racer]:
    """Two creations of one name."""
    mine, theirs = await world.begin("alice", "a@example.org"), await world.begin("alice", "b@example.org")
    return partial(world.directory.confirm, mine), partial(world.directory.confirm, theirs)


async def two_for_servers(world: World) -> tuple[Racer, Racer]:
    mine, theirs = await world.begin("alice"), await world.begin("bobby")
    return partial(world.directory.confirm, mine), partial(world.directory.confirm, theirs)


async def counted_anew(world: World) -> tuple[Racer, Racer]:
    challenge = await world.begin("alice")
    return world.directory.recount, partial(world.directory.confirm, challenge)


def lease(world: World, node: str) -> Racer:
    async def racer() -> object:
        now = world.clock.now()
        leased = await world.store.write(lambda t: t.outbox.lease(node, now, after(now, 1000), 10))
        return len(leased) > 0

    return racer


async def leased_by_two(world: World) -> tuple[Racer, Racer]:
    await world.begin("alice")
    await world.begin("bobby")
    return lease(world, "one"), lease(world, "two")


async def leased_and_requeued(world: World) -> tuple[Racer, Racer]:
    await world.begin("alice")
    now = world.clock.now()
    return lease(world, "one"), lambda: world.store.write(lambda t: t.outbox.requeue(None, now))


SCENARIOS = (
    between("the last creation that may wait for an address", last_creation, Lock.EMAIL),
    between("one challenge is confirmed twice", confirmed_twice, None, ()),
    between("two creations of one name are confirmed", confirmed_by_two, Lock.NAME, ()),
    between("two users for the emptiest server", two_for_servers, Lock.SERVERS),
    between("users are counted anew beside a sign-up", counted_anew, Lock.SERVERS),
    between("two nodes lease the outbox", leased_by_two),
    between("mail is leased and made due again", leased_and_requeued),
)
