"""Codes for signing in: one used twice, one beside the next, one beside the end of its account."""

from collections.abc import Awaitable, Callable
from functools import partial

from regserver.domain.account import AccountId
from regserver.domain.ending import AccountEvent
from regserver.domain.instant import MINUTE
from regserver.ports.store import Store
from regserver.ports.transaction import Lock
from regserver.service.sms_guard import SmsPolicy
from tests.sign_in_code import STRANGER, CodeDesk, wrong
from tests.steps import phone
from tests.store.race import Racer, Racers, Scenario, rows

NUMBER = phone("+380000000001")


class Waiting:
    """Ann, who has been sent a code, and may be sent the next one."""

    def __init__(self, desk: CodeDesk, ann: AccountId, code: str) -> None:
        self.desk = desk
        self.ann = ann
        self.code = code

    def enter(self, code: str | None = None) -> Racer:
        return partial(self.desk.enter, NUMBER, code or self.code)

    def enter_wrong(self) -> Racer:
        return self.enter(wrong(self.code))

    def enter_elsewhere(self) -> Racer:
        return partial(self.desk.enter, NUMBER, self.code, STRANGER)

    def ask(self) -> Racer:
        return partial(self.desk.ask, NUMBER)

    def delete(self) -> Racer:
        return partial(self.desk.delete, self.ann)

    def recover(self) -> Racer:
        return partial(self.desk.end, self.ann, AccountEvent.RECOVERED)


async def observe(desk: CodeDesk) -> object:
    """Records, sessions, budgets, messages, without what is drawn."""
    codes = "SELECT contact, account_id IS NULL, own_tries, other_tries, sent FROM sign_in_code"
    return (
        await rows(desk.store, codes),
        await rows(desk.store, "SELECT count(*) FROM token"),
        await rows(desk.store, "SELECT budget, spent FROM steps_budget ORDER BY 1"),
        await rows(desk.store, "SELECT country, slot, sent, entered FROM sms_tally ORDER BY 1, 2"),
        await rows(desk.store, "SELECT failures FROM guess"),
        [to for to, _ in desk.sms.messages],
    )


async def sent(store: Store) -> Waiting:
    desk = CodeDesk(store, SmsPolicy())
    ann = await desk.add("ann", NUMBER)
    code = await desk.code(NUMBER)
    desk.clock.advance(MINUTE)
    return Waiting(desk, ann, code)


async def not_sent(store: Store) -> Waiting:
    """Ann has asked for none yet."""
    desk = CodeDesk(store, SmsPolicy())
    return Waiting(desk, await desk.add("ann", NUMBER), "100000")


async def one_try_left(store: Store) -> Waiting:
    waiting = await sent(store)
    for _ in range(4):
        await waiting.enter_wrong()()
    return waiting


async def nobodys(store: Store) -> Waiting:
    """The same for a number that is nobody's, of whose code one try is left."""
    desk = CodeDesk(store, SmsPolicy())
    await desk.ask(NUMBER)
    desk.clock.advance(MINUTE)
    waiting = Waiting(desk, AccountId(0), "100000")
    for _ in range(4):
        await waiting.enter_wrong()()
    return waiting


def between(
    name: str,
    pair: Callable[[Waiting], tuple[Racer, Racer]],
    lock: Lock | None = None,
    fill: Callable[[Store], Awaitable[Waiting]] = sent,
) -> Scenario:
    async def prepare(store: Store) -> Racers:
        waiting = await fill(store)
        return Racers(*pair(waiting), partial(observe, waiting.desk))

    return Scenario(name, prepare, lock)


SCENARIOS = (
    # Of a contact that is somebody's two locks are held, either of which is enough: without one nothing goes wrong.
    between("a code is entered twice", lambda it: (it.enter(), it.enter())),
    between("a code is entered in two networks", lambda it: (it.enter(), it.enter_elsewhere())),
    between(
        "two wrong codes with one try left",
        lambda it: (it.enter_wrong(), it.enter_wrong()),
        None,
        one_try_left,
    ),
    between("two first codes", lambda it: (it.ask(), it.ask()), None, not_sent),
    between("a code and the next one", lambda it: (it.enter(), it.ask())),
    between("the next code and the one before", lambda it: (it.ask(), it.enter())),
    between(
        "two wrong codes of nobody's with one try left",
        lambda it: (it.enter_wrong(), it.enter_wrong()),
        Lock.CONTACT,
        nobodys,
    ),
    between(
        "a wrong code of nobody's and the next one",
        lambda it: (it.enter_wrong(), it.ask()),
        Lock.CONTACT,
        nobodys,
    ),
    between("a code and the end of its account", lambda it: (it.enter(), it.delete())),
    between("the end of an account and its code", lambda it: (it.delete(), it.enter())),
    between("the next code and the end of its account", lambda it: (it.ask(), it.delete()), Lock.ACCOUNT),
    between("a code and a recovery", lambda it: (it.enter(), it.recover()), Lock.ACCOUNT),
)
