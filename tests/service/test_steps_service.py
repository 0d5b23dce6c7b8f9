"""The registration by steps from the first code to the account, with a real store and a clock that is held still."""

from pathlib import Path

import pytest
import trio

from regserver.domain.account import NewAccount, name_key
from regserver.domain.contact import Contact
from regserver.domain.instant import DAY, MINUTE, SECOND
from regserver.domain.secret import hash_secret
from regserver.domain.steps_machine import (
    AlreadyRegistered,
    AmbiguousIdentity,
    BadPublicKey,
    BadUserName,
    InvalidStep,
    NameTaken,
    OtherName,
    OtherUserId,
    StepRefusal,
    WrongKey,
)
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.service.asker import Asker
from regserver.service.identity_service import Session
from regserver.service.registration_lookup import Proof
from regserver.service.steps_account_service import Proposal
from regserver.service.steps_service import StepResult
from tests.fake import claim_of
from tests.steps import (
    ASKER,
    HERE,
    K1_KEY,
    Steps,
    email,
    identity,
    open_steps,
    phone,
    proposal,
    stored_bytes,
    taken,
)


async def state(steps: Steps, contact: Contact) -> str:
    return (await taken(steps.service.state(contact, HERE))).registration.state


@pytest.mark.parametrize("contact", [phone(), email()], ids=["phone", "email"])
async def test_the_whole_way(tmp_path: Path, contact: Contact) -> None:
    async with open_steps(tmp_path) as steps:
        first = "firstStep" if contact.kind == "phone" else "firstStepEmail"
        assert await state(steps, contact) == first
        sent = await taken(steps.service.first_step(contact, "", "web", ASKER))
        assert sent.retry_at == steps.clock.now() + 45 * SECOND
        assert await state(steps, contact) == ("verify" if contact.kind == "phone" else "verifyEmail")
        code = steps.sms.code if contact.kind == "phone" else await steps.mailed_code()
        assert (await taken(steps.service.verify(contact, int(code), False, ASKER.address))).token is None
        assert await state(steps, contact) == "setUsername"
        named = (await taken(steps.service.set_username(contact, "some-user-name", HERE))).registration
        assert named.user_id is not None
        shown = (await taken(steps.service.state(contact, HERE))).registration
        assert (shown.state, shown.username, shown.user_id) == (
            "toBlockChain",
            "some-user-name",
            named.user_id,
        )
        done = await taken(steps.accounts.register(contact, proposal("some-user-name", named.user_id), HERE))
        assert done.registration.state == "registered"
        account = await steps.store.read(
            lambda transaction: transaction.accounts.by_ledger_name(named.user_id or "")
        )
        assert account is not None
        assert (account.username, account.origin, account.email) == ("some-user-name", "steps", None)
        entry = await steps.store.read(lambda transaction: transaction.journal.last())
        assert entry is not None
        assert (entry.number, entry.user_id, entry.owner_key) == (1, named.user_id, K1_KEY)


async def test_every_step_out_of_turn_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        contact = phone()
        service = steps.service
        assert await service.verify(contact, "123456", False, ASKER.address) == InvalidStep(state="firstStep")
        assert await service.resend(contact, ASKER) == InvalidStep(state="firstStep")
        assert await service.set_username(contact, "some-user-name", HERE) == InvalidStep(state="firstStep")
        await steps.to_verified(contact)
        assert await service.first_step(contact, "", "web", ASKER) == InvalidStep(state="setUsername")
        assert await service.verify(contact, steps.sms.code, False, ASKER.address) == InvalidStep(
            state="setUsername"
        )
        assert await steps.accounts.register(contact, proposal("x", "y"), HERE) == InvalidStep(
            state="setUsername"
        )
        assert len(steps.sms.messages) == 1


async def test_once_registered_every_step_says_so(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        contact, service = phone(), steps.service
        user_id = await steps.to_registered(contact, "some-user-name")
        registered = AlreadyRegistered(state="registered")
        assert await steps.accounts.register(contact, proposal("some-user-name", user_id), HERE) == registered
        assert await service.first_step(contact, "", "web", ASKER) == registered
        assert await service.verify(contact, "1", False, ASKER.address) == registered
        assert await service.resend(contact, ASKER) == registered
        assert await service.set_username(contact, "other-name", HERE) == registered


# --- user names
async def test_of_ten_racing_contacts_one_gets_the_name(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        contacts = [phone(f"+3800000000{n:02}") for n in range(10)]
        for contact in contacts:
            await steps.to_verified(contact)
        outcomes: list[StepResult | StepRefusal] = []

        async def claim(contact: Contact) -> None:
            outcomes.append(await steps.service.set_username(contact, "wanted", HERE))

        async with trio.open_nursery() as nursery:
            for contact in contacts:
                nursery.start_soon(claim, contact)
        assert sum(isinstance(outcome, StepResult) for outcome in outcomes) == 1
        assert outcomes.count(NameTaken(state="setUsername")) == 9


async def test_a_second_choice_frees_the_first_and_keeps_the_user_id(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        one, other = phone(), email()
        first = await steps.to_named(one, "first-choice")
        await steps.to_verified(other)
        assert await steps.service.set_username(other, "first-choice", HERE) == NameTaken(state="setUsername")
        second = (await taken(steps.service.set_username(one, "second-choice", HERE))).registration
        assert second.user_id == first
        await taken(steps.service.set_username(other, "first-choice", HERE))
        # Taken once more by its holder, a name is simply held longer.
        again = (await taken(steps.service.set_username(one, "second-choice", HERE))).registration
        assert (again.user_id, again.username) == (first, "second-choice")


async def test_a_refused_second_choice_leaves_the_first(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await steps.to_registered(email(), "taken-name")
        user_id = await steps.to_named(phone(), "my-name")
        assert await steps.service.set_username(phone(), "taken-name", HERE) == NameTaken(
            state="toBlockChain"
        )
        assert await steps.service.set_username(phone(), "no..name", HERE) == BadUserName(
            state="toBlockChain"
        )
        await taken(steps.accounts.register(phone(), proposal("my-name", user_id), HERE))


async def test_a_name_of_another_door_is_taken(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        new = NewAccount(username="Some.User", origin="rooms", created_at=steps.clock.now())
        await steps.store.write(lambda transaction: add_account(transaction, new))
        await steps.to_verified(phone())
        assert await steps.service.set_username(phone(), "some.user", HERE) == NameTaken(state="setUsername")


async def test_a_claim_lapses_and_the_next_to_come_may_have_it(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        one, other = phone(), phone("+380000000001")
        user_id = await steps.to_named(one, "wanted")
        steps.clock.advance(DAY)
        await steps.to_registered(other, "wanted")
        refused = await steps.accounts.register(one, proposal("wanted", user_id), HERE)
        assert refused == NameTaken(state="toBlockChain")
        await taken(steps.service.set_username(one, "other-name", HERE))
        await taken(steps.accounts.register(one, proposal("other-name", user_id), HERE))


async def test_a_lapsed_claim_that_nobody_took_still_registers(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_named(phone(), "wanted")
        steps.clock.advance(DAY + SECOND)
        await taken(steps.accounts.register(phone(), proposal("wanted", user_id), HERE))
        holder = await steps.store.read(
            lambda transaction: transaction.names.holder(name_key("wanted"), steps.clock.now())
        )
        assert holder is not None
        assert holder.expires_at is None


# --- the account
@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"username": "other"}, OtherName),
        ({"username": "other", "user_id": "other", "owner": None}, OtherName),
        ({"user_id": "reg1aaaaaaaa"}, OtherUserId),
        ({"user_id": "", "owner": None}, OtherUserId),
        ({"owner": None}, BadPublicKey),
        ({"active": None}, BadPublicKey),
    ],
)
async def test_what_was_not_agreed_on_is_not_written(
    tmp_path: Path, changed: dict[str, str | None], refusal: type[StepRefusal]
) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        agreed = {"username": "my-name", "user_id": user_id, "owner": K1_KEY, "active": K1_KEY}
        proposed = Proposal(**{**agreed, **changed})  # type: ignore[arg-type]
        outcome = await steps.accounts.register(phone(), proposed, HERE)
        assert outcome == refusal(state="toBlockChain")
        assert await steps.store.read(lambda transaction: transaction.journal.last()) is None


async def test_parallel_registrations_of_one_contact_make_one_account(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_named(phone(), "my-name")
        outcomes: list[StepResult | StepRefusal] = []

        async def register() -> None:
            outcomes.append(await steps.accounts.register(phone(), proposal("my-name", user_id), HERE))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(register)
        assert sum(isinstance(outcome, StepResult) for outcome in outcomes) == 1
        assert outcomes.count(AlreadyRegistered(state="registered")) == 19
        entry = await steps.store.read(lambda transaction: transaction.journal.last())
        assert entry is not None
        assert entry.number == 1


# --- identities
async def test_an_identity_needs_the_secure_key(tmp_path: Path) -> None:
    async with open_steps(tmp_path, identity_secure_key="s3cure") as steps:
        someone = identity("oauth-42", "google")
        assert await steps.service.create_identity(someone, "wrong", False, ASKER) == WrongKey()
        assert await steps.service.create_identity(someone, "", False, ASKER) == WrongKey()
        assert await state(steps, identity()) == "createIdentity"
        await taken(steps.service.create_identity(someone, "s3cure", False, ASKER))
        assert await state(steps, identity()) == "setUsername"
        user_id = (await taken(steps.service.set_username(identity(), "by-oauth", HERE))).registration.user_id
        await taken(steps.accounts.register(identity(), proposal("by-oauth", user_id or ""), HERE))
        assert await steps.service.create_identity(someone, "s3cure", False, ASKER) == AlreadyRegistered(
            state="registered"
        )


async def test_without_a_configured_key_no_identity_is_taken(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        assert await steps.service.create_identity(identity("x", "google"), "", False, ASKER) == WrongKey()


async def test_identities_are_kept_by_provider(tmp_path: Path) -> None:
    async with open_steps(tmp_path, identity_secure_key="s3cure") as steps:
        google, github = identity("oauth-42", "google"), identity("oauth-42", "github")
        await taken(steps.service.create_identity(google, "s3cure", False, ASKER))
        assert await state(steps, github) == "createIdentity"
        await taken(steps.service.create_identity(github, "s3cure", False, ASKER))
        assert await steps.service.state(identity(), HERE) == AmbiguousIdentity()
        assert await steps.service.set_username(identity(), "some-name", HERE) == AmbiguousIdentity()
        await taken(steps.service.set_username(google, "by-google", HERE))
        assert await state(steps, github) == "setUsername"


# --- tokens
async def test_a_wanted_token_is_demanded_from_then_on(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        contact, service = phone(), steps.service
        token = await steps.to_verified(contact, want_token=True)
        assert token is not None
        assert token.startswith("regr_")
        refused = InvalidStep(state="setUsername")
        assert await service.set_username(contact, "mine", HERE) == refused
        assert await service.set_username(contact, "mine", Proof(token + "x", ASKER.address)) == refused
        user_id = (
            await taken(service.set_username(contact, "mine", Proof(token, ASKER.address)))
        ).registration.user_id or ""
        # The chosen name is not shown to everybody who knows the number.
        assert (await taken(service.state(contact, HERE))).registration.user_id is None
        assert (
            await taken(service.state(contact, Proof(token, ASKER.address)))
        ).registration.user_id == user_id
        assert await steps.accounts.register(contact, proposal("mine", user_id), HERE) == InvalidStep(
            state="toBlockChain"
        )
        await taken(steps.accounts.register(contact, proposal("mine", user_id), Proof(token, ASKER.address)))


async def test_require_token_gives_and_demands_one_always(tmp_path: Path) -> None:
    async with open_steps(tmp_path, require_token=True) as steps:
        token = await steps.to_verified(phone())
        assert token is not None
        assert await steps.service.set_username(phone(), "mine", HERE) == InvalidStep(state="setUsername")
        await taken(steps.service.set_username(phone(), "mine", Proof(token, ASKER.address)))


async def test_the_token_opens_nothing_else_and_is_stored_hashed(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        token = await steps.to_verified(phone(), want_token=True)
        other = await steps.to_verified(email(), want_token=True)
        assert token is not None
        assert await steps.service.set_username(phone(), "mine", Proof(other, ASKER.address)) == InvalidStep(
            state="setUsername"
        )
        stored = stored_bytes(tmp_path)
    assert token.encode() not in stored
    assert token.removeprefix("regr_").encode() not in stored


# --- stored contacts
async def test_no_plain_contact_or_code_is_in_the_files(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await steps.to_registered(phone(), "by-phone")
        codes = [steps.sms.code]
        await steps.to_registered(email(), "by-email")
        codes.append(await steps.mailed_code())
        stored = stored_bytes(tmp_path)
    for plain in ("380000000000", "alice@commun.com", "commun.com", *codes):
        assert plain.encode() not in stored
    assert b"+380*******00" in stored


async def test_an_abandoned_registration_starts_again_and_its_row_goes(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await steps.to_verified(phone())
        await taken(steps.service.first_step(email(), "", "web", ASKER))
        await steps.to_registered(phone("+380000000001"), "finished")
        steps.clock.advance(7 * DAY)
        assert await state(steps, phone()) == "firstStep"
        assert await state(steps, email()) == "firstStepEmail"

        async def purge(transaction: Transaction) -> int:
            return await transaction.registrations.purge(steps.clock.now())

        assert await steps.store.write(purge) > 1
        assert await state(steps, phone("+380000000001")) == "registered"
        await steps.to_named(phone(), "new-start")


async def test_an_address_that_another_door_registered_is_registered(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        now, claim = steps.clock.now(), claim_of("Alice@commun.com")
        new = NewAccount(
            username="alice", email="Alice@commun.com", origin="rooms", created_at=now, contact=claim
        )
        await steps.store.write(lambda transaction: add_account(transaction, new))
        assert await state(steps, email()) == "registered"
        refused = await steps.service.first_step(email(), "", "web", ASKER)
        assert refused == AlreadyRegistered(state="registered")
        steps.clock.advance(MINUTE)
        assert await steps.service.resend(email(), ASKER) == refused


# --- networks
ELSEWHERE = Proof(None, "198.51.100.1")


@pytest.mark.parametrize("contact", [phone(), email()], ids=["phone", "email"])
async def test_nobody_finishes_the_registration_of_somebody_else(tmp_path: Path, contact: Contact) -> None:
    async with open_steps(tmp_path) as steps:
        await steps.to_verified(contact)
        refused = InvalidStep(state="setUsername")
        assert await steps.service.set_username(contact, "stolen", ELSEWHERE) == refused
        found = (await taken(steps.service.set_username(contact, "mine", HERE))).registration
        user_id = found.user_id or ""
        refused = InvalidStep(state="toBlockChain")
        assert await steps.service.set_username(contact, "stolen", ELSEWHERE) == refused
        assert await steps.accounts.register(contact, proposal("mine", user_id), ELSEWHERE) == refused
        shown = (await taken(steps.service.state(contact, ELSEWHERE))).registration
        assert (shown.state, shown.username, shown.user_id) == ("toBlockChain", None, None)
        await taken(steps.accounts.register(contact, proposal("mine", user_id), HERE))


async def test_one_host_may_change_its_address_within_its_network(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        asker = Asker("2001:db8::1", "en")
        await taken(steps.service.first_step(phone(), "", "web", asker))
        await taken(steps.service.verify(phone(), steps.sms.code, False, "2001:db8::2"))
        await taken(steps.service.set_username(phone(), "mine", Proof(None, "2001:0DB8:0:0::3")))
        refused = InvalidStep(state="toBlockChain")
        assert await steps.service.set_username(phone(), "x-y", Proof(None, "2001:db8:0:1::3")) == refused


async def test_the_token_is_good_in_every_network(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        token = await steps.to_verified(phone(), want_token=True)
        assert await steps.service.set_username(phone(), "mine", HERE) == InvalidStep(state="setUsername")
        away = Proof(token, "198.51.100.1")
        found = (await taken(steps.service.set_username(phone(), "mine", away))).registration
        await taken(steps.accounts.register(phone(), proposal("mine", found.user_id or ""), away))


async def test_an_identity_belongs_to_the_first_network_that_goes_on_with_it(tmp_path: Path) -> None:
    """Its service creates it, from a network of its own."""
    async with open_steps(tmp_path, identity_secure_key="s3cure") as steps:
        someone = identity("oauth-42", "google")
        await taken(steps.service.create_identity(someone, "s3cure", False, ASKER))
        await taken(steps.service.set_username(someone, "by-oauth", HERE))
        refused = InvalidStep(state="toBlockChain")
        assert await steps.service.set_username(someone, "stolen", ELSEWHERE) == refused


# --- what strangers are told
async def test_with_reveal_state_off_strangers_are_told_nothing(tmp_path: Path) -> None:
    async with open_steps(tmp_path, reveal_state=False) as steps:
        contact, service = phone(), steps.service
        assert await state(steps, contact) == "firstStep"
        token = await steps.to_verified(contact, want_token=True)
        mine = Proof(token, ASKER.address)
        assert await state(steps, contact) == "firstStep"
        assert (await taken(service.state(contact, mine))).registration.state == "setUsername"
        neutral = InvalidStep(state="firstStep")
        assert await service.set_username(contact, "stolen", HERE) == neutral
        found = (await taken(service.set_username(contact, "mine", mine))).registration
        agreed = proposal("mine", found.user_id or "")
        await taken(steps.accounts.register(contact, agreed, mine))
        assert await state(steps, contact) == "firstStep"
        for outcome in (
            await service.set_username(contact, "stolen", HERE),
            await service.verify(contact, "123456", False, ASKER.address),
            await service.resend(contact, ASKER),
            await service.first_step(contact, "", "web", ASKER),
            await steps.accounts.register(contact, agreed, HERE),
        ):
            assert outcome == neutral


async def test_a_session_comes_with_the_account_to_those_who_want_one(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        user_id = await steps.to_named(phone(), "mine")
        done = await taken(steps.accounts.register(phone(), proposal("mine", user_id), HERE, ASKER))
        assert done.session is not None
        session = await steps.identity.session(hash_secret(done.session.token))
        assert isinstance(session, Session)
        assert session.account == done.session.user_id
        other = await steps.to_named(email(), "other")
        plain = await taken(steps.accounts.register(email(), proposal("other", other), HERE))
        assert plain.session is None
