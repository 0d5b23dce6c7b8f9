"""Second factors: nothing opens without them, a code works once, wrong ones count, and what ends does."""

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyotp
import pytest
import trio

import regserver
from regserver.domain.factor import FACTOR_TICKET_LIFE, RECOVERY_CODES
from regserver.domain.guess import FREE_FAILURES
from regserver.domain.instant import MINUTE, Duration
from regserver.domain.outcome import (
    BadCode,
    BadCredentials,
    BadToken,
    FactorExists,
    NotApproved,
    SecondFactorRequired,
    TooManyRequests,
    UserIsDeleted,
)
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.source import Rejected
from regserver.service.asker import Asker
from regserver.service.factor_service import Factors, FactorService
from regserver.service.identity_service import SignedIn
from tests.deletion import GRACE
from tests.factor import open_factor_service
from tests.fake import SeededRandomness
from tests.live_world import World, world

HOME = Asker("192.0.2.7", "en")
STRANGER = Asker("198.51.100.9", "en")
ADA = "ada", "right"


class FactorWorld:
    """Ada, who is registered and signed in."""

    def __init__(self, here: World, factors: FactorService, token: SecretHash) -> None:
        self.here = here
        self.factors = factors
        self.token = token
        self.secret = ""
        self.codes: tuple[str, ...] = ()

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.here.clock.now() // 1000)

    async def begin(self) -> None:
        enrolment = await self.factors.enrol(self.token)
        assert not isinstance(enrolment, FactorExists | BadToken | UserIsDeleted | NotApproved)
        self.secret = enrolment.secret

    async def switch_on(self) -> None:
        await self.begin()
        codes = await self.factors.confirm(self.token, self.code(), HOME)
        assert isinstance(codes, tuple)
        self.codes = codes

    async def ticket(self, asker: Asker = HOME) -> str:
        asked = await self.here.sign_in_service.sign_in(*ADA, asker)
        assert isinstance(asked, SecondFactorRequired)
        return asked.ticket

    async def answer(self, ticket: str, code: str, asker: Asker = HOME) -> object:
        return await self.factors.sign_in(ticket, code, asker)

    def later(self, duration: int = MINUTE) -> None:
        self.here.clock.advance(Duration(duration))


async def signed_up(here: World, name: str) -> str:
    """Somebody with an account of the rooms; a token."""
    await here.add_elsewhere(name, "right")
    here.source.verdict = Rejected()
    signed_in = await here.sign_in(name, "right")
    assert isinstance(signed_in, SignedIn)
    return signed_in.token


@asynccontextmanager
async def ada(folder: Path) -> AsyncIterator[FactorWorld]:
    async with world(folder) as here:
        identity, clock = here.parts.identity, here.clock
        factors = open_factor_service(here.store, clock, identity, here.sockets, SeededRandomness(9))
        token = await signed_up(here, "ada")
        yield FactorWorld(here, factors, hash_secret(token))


async def test_the_password_alone_opens_nothing_once_it_is_on(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.begin()
        assert isinstance(await it.here.sign_in_service.sign_in(*ADA, HOME), SignedIn), "not on yet"
        await it.switch_on()
        assert len(set(it.codes)) == RECOVERY_CODES
        asked = await it.here.sign_in_service.sign_in(*ADA, HOME)
        assert isinstance(asked, SecondFactorRequired)
        assert asked.ticket not in repr(asked)
        it.later()
        signed_in = await it.answer(asked.ticket, it.code())
        assert isinstance(signed_in, SignedIn)
        found = await it.factors.list(hash_secret(signed_in.token))
        assert isinstance(found, Factors)
        assert (found.totp, found.recovery_codes) == (True, RECOVERY_CODES)


async def test_a_code_is_taken_once(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        first, second, third = [await it.ticket() for _ in range(3)]
        assert await it.answer(first, it.code()) == BadCode(), "it has confirmed the app"
        it.later()
        before = it.code()
        assert isinstance(await it.answer(first, before), SignedIn)
        assert await it.answer(second, before) == BadCode()
        it.later(30_000)
        assert await it.answer(second, before) == BadCode(), "also while its step is near"
        assert isinstance(await it.answer(second, it.codes[3].upper().replace("-", " ")), SignedIn)
        assert await it.answer(third, it.codes[3]) == BadCode()


async def test_200_at_once_with_one_recovery_code_are_one(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        ticket = await it.ticket()
        outcomes: list[object] = []

        async def enter(code: str) -> None:
            outcomes.append(await it.answer(ticket, code))

        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(enter, it.codes[number % 2])
        assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
        assert all(isinstance(outcome, SignedIn | BadToken | TooManyRequests) for outcome in outcomes)
        found = await it.factors.list(it.token)
        assert isinstance(found, Factors)
        assert found.recovery_codes == RECOVERY_CODES - 1


async def test_a_ticket_ends_by_time_and_use_and_is_no_token(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        ticket = await it.ticket()
        assert await it.factors.list(hash_secret(ticket)) == BadToken()
        assert await it.here.parts.identity.redeem_ticket(hash_secret(ticket)) == BadToken()
        assert await it.answer("regf_nothing", it.codes[0]) == BadToken()
        assert isinstance(await it.answer(ticket, it.codes[0]), SignedIn)
        assert await it.answer(ticket, it.codes[1]) == BadToken()
        late = await it.ticket()
        it.later(FACTOR_TICKET_LIFE)
        assert await it.answer(late, it.codes[1]) == BadToken()
        assert isinstance(await it.answer(await it.ticket(), it.codes[1]), SignedIn)


async def test_wrong_codes_count_and_a_right_password_does_not_reset_them(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        for _ in range(FREE_FAILURES):
            assert await it.answer(await it.ticket(STRANGER), "000000", STRANGER) == BadCode()
        assert isinstance(await it.here.sign_in_service.sign_in(*ADA, STRANGER), TooManyRequests)
        ticket = await it.ticket()  # her own network has a counter of its own
        assert isinstance(await it.answer(ticket, it.codes[0], STRANGER), TooManyRequests)
        assert isinstance(await it.answer(ticket, it.codes[0]), SignedIn)


async def test_it_is_switched_off_with_the_password(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        assert await it.factors.enrol(it.token) == FactorExists()
        assert await it.factors.confirm(it.token, it.code(), HOME) == FactorExists()
        ticket = await it.ticket()
        assert await it.factors.remove(it.token, "wrong", HOME) == BadCredentials()
        assert await it.factors.remove(it.token, "right", HOME) is None
        assert await it.answer(ticket, it.codes[0]) == BadToken()
        assert isinstance(await it.here.sign_in_service.sign_in(*ADA, HOME), SignedIn)
        before = it.codes
        await it.begin()
        it.later()
        await it.switch_on()
        assert await it.answer(await it.ticket(), before[0]) == BadCode(), "codes of before are gone"


async def test_other_sessions_end_at_a_change(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        other = await it.here.sign_in_service.sign_in(*ADA, HOME)
        assert isinstance(other, SignedIn)
        await it.switch_on()
        assert await it.factors.list(hash_secret(other.token)) == BadToken()
        assert not isinstance(await it.factors.list(it.token), BadToken)


async def test_a_deleted_account_is_brought_back_by_both(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        before = await it.ticket()
        await it.here.deletion.delete(it.token, None, HOME)
        assert isinstance(await it.answer(before, it.codes[0]), UserIsDeleted), (
            "a ticket to sign in restores nothing"
        )
        assert isinstance(await it.here.sign_in_service.sign_in(*ADA, HOME), UserIsDeleted)
        asked = await it.here.sign_in_service.restore(*ADA, HOME)
        assert isinstance(asked, SecondFactorRequired)
        assert await it.factors.list(it.token) == UserIsDeleted()
        assert await it.answer(asked.ticket, "wrong") == BadCode()
        assert isinstance(await it.answer(asked.ticket, it.codes[0]), SignedIn)
        assert await it.factors.list(it.token) == BadToken(), "sessions of before stay ended"


async def test_nobody_is_brought_back_after_the_time_of_grace(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        await it.here.deletion.delete(it.token, None, HOME)
        it.later(GRACE - MINUTE)
        asked = await it.here.sign_in_service.restore(*ADA, HOME)
        assert isinstance(asked, SecondFactorRequired)
        it.later()
        assert await it.answer(asked.ticket, it.codes[0]) == UserIsDeleted()


# Who may issue a session without asking for a factor: after it was proved, and to accounts that are made in the same unit.
ISSUERS = {
    "account_recovery": "after ask_factor",
    "code_sign_in": "after ask_factor",
    "factor_service": "after the code",
    "live_account": "a new account",
    "passkey_service": "a passkey is both factors",
    "sign_in_service": "after ask_factor",
    "sign_up_service": "a new account, and after ask_factor",
    "steps_account_service": "a new account",
}
ASKERS = {"account_recovery", "code_sign_in", "sign_in_service", "sign_up_service"}


def calls(name: str, owner: str) -> set[str]:
    """The modules that call a method of that name on something with that name."""
    found = set()
    for path in Path(regserver.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == name and owner in ast.unparse(node.value):
                found.add(path.stem)
    return found


def test_every_way_to_a_session_is_known() -> None:
    assert calls("issue", "identity") == set(ISSUERS)
    assert calls("ask_factor", "identity") == ASKERS
    assert calls("issue_named", "identity") <= {"session_service"}
    assert calls("add", "tokens") == {"identity_service"}


@pytest.mark.parametrize("wrong", ["ticket", "code", "account"])
async def test_one_wrong_part_is_refused(tmp_path: Path, wrong: str) -> None:
    async with ada(tmp_path) as it:
        await it.switch_on()
        ticket, codes = await it.ticket(), it.codes
        if wrong == "account":
            it.token = hash_secret(await signed_up(it.here, "bob"))
            await it.switch_on()
        given = "regf_x" if wrong == "ticket" else ticket
        code = {"ticket": codes[0], "code": "wrong", "account": it.codes[0]}[wrong]
        assert isinstance(await it.answer(given, code), BadToken if wrong == "ticket" else BadCode)
        assert isinstance(await it.answer(ticket, codes[0]), SignedIn)
