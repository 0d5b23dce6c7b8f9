"""The gate at every door: invitations are spent with the account and never else, and what waits opens nothing."""

from pathlib import Path

import msgspec
import pytest
import trio

from regserver.adapters.ledger import EmbeddedLedger
from regserver.domain.account import Account, name_key
from regserver.domain.directory import InvalidData, SignUpNotInvited
from regserver.domain.instant import DAY, HOUR
from regserver.domain.outcome import (
    AccountNotFound,
    BadLink,
    InvitationRequired,
    NotApproved,
    TooManyRequests,
    UsernameTaken,
)
from regserver.domain.secret import hash_secret
from regserver.domain.sign_up_policy import DoorPolicy
from regserver.domain.steps_machine import NotInvited, StepRefusal
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.directory_account import Allotted
from regserver.service.erasure_service import ErasurePolicy, ErasureService
from regserver.service.expiry import purge
from regserver.service.identity_service import SignedIn
from regserver.service.sign_in_outcome import Registering
from regserver.service.steps_service import StepResult
from tests import directory as directory_door
from tests.directory import BASE, sign_up
from tests.fake import JOURNAL_SEAL, NAME_HASH
from tests.gate import APPROVE, INVITE, OPERATOR, SITE, invite, open_desk, open_gate, used
from tests.live_world import STORY, world
from tests.rooms import Rooms, open_rooms
from tests.steps import ASKER, HERE, Steps, email, identity, open_steps, phone, proposal, taken

PASSWORD = "correct horse battery"
SECRET = "regi_secret"


async def account(store: Store, name: str) -> Account | None:
    return await store.read(lambda transaction: transaction.accounts.by_name(name_key(name)))


async def waits(store: Store, name: str) -> str | None:
    found = await account(store, name)
    assert found is not None
    return found.waits_for


# --- rooms
@pytest.mark.parametrize(
    "wrong", ["none", "empty", "unknown", "used up", "expired", "revoked", "other address"]
)
async def test_one_refusal_stands_for_every_bad_invitation(tmp_path: Path, wrong: str) -> None:
    async with open_rooms(tmp_path, policy=INVITE) as rooms:
        bound = "bob@example.org" if wrong == "other address" else ""
        number = await invite(rooms.store, rooms.clock, SECRET, email=bound)
        if wrong == "used up":
            assert isinstance(await join(rooms, "first", SECRET), SignedIn)
        if wrong == "expired":
            rooms.clock.advance(DAY)
        if wrong == "revoked":
            assert await rooms.store.write(lambda transaction: transaction.invitations.revoke(number))
        given = {"none": None, "empty": " ", "unknown": "regi_other"}.get(wrong, SECRET)
        assert await join(rooms, "ann", given) == InvitationRequired()
        assert await account(rooms.store, "ann") is None


async def join(rooms: Rooms, name: str, invitation: str | None = None, host: str = "example.org") -> object:
    return await rooms.sign_up(name, f"{name}@{host}", PASSWORD, invitation=invitation)


async def test_an_invitation_makes_so_many_accounts_and_refusals_cost_none(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=INVITE) as rooms:
        number = await invite(rooms.store, rooms.clock, SECRET, uses=2)
        assert isinstance(await join(rooms, "ann", f" {SECRET} "), SignedIn)
        assert await join(rooms, "ANN", SECRET) == UsernameTaken()
        assert await used(rooms.store, rooms.clock, number) == 1
        assert isinstance(await join(rooms, "bob", SECRET), SignedIn)
        assert await join(rooms, "cid", SECRET) == InvitationRequired()
        assert await waits(rooms.store, "ann") is None
        await rooms.store.write(lambda transaction: purge(transaction, rooms.clock))
        assert await used(rooms.store, rooms.clock, number) == 2


async def test_without_an_invitation_nobody_learns_which_names_are_taken(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=INVITE) as rooms:
        await rooms.person("ann")
        assert await join(rooms, "ann") == await join(rooms, "nobody") == InvitationRequired()


async def test_a_unit_that_fails_spends_nothing(tmp_path: Path) -> None:
    """Account, name, session and the use of the invitation are one."""
    async with open_rooms(tmp_path, policy=INVITE) as rooms:
        number = await invite(rooms.store, rooms.clock, SECRET)

        async def fail(*_: object) -> None:
            raise RuntimeError("killed")

        rooms.identity.issue = fail  # type: ignore[method-assign, assignment]
        with pytest.raises(RuntimeError):
            await join(rooms, "ann", SECRET)
        del rooms.identity.issue
        assert await account(rooms.store, "ann") is None
        assert await used(rooms.store, rooms.clock, number) == 0
        assert isinstance(await join(rooms, "ann", SECRET), SignedIn)


async def test_200_at_once_with_one_invitation(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=INVITE) as rooms:
        await invite(rooms.store, rooms.clock, SECRET, uses=7)
        outcomes: list[object] = []

        async def one(number: int) -> None:
            outcomes.append(await join(rooms, f"person{number}", SECRET))

        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(one, number)
        assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 7
        assert sum(outcome == InvitationRequired() for outcome in outcomes) == 193


@pytest.mark.parametrize("policy", [INVITE, APPROVE], ids=["invite", "approve"])
async def test_a_typed_domain_proves_nothing(tmp_path: Path, policy: DoorPolicy) -> None:
    """The account waits until the address is verified, and for nothing else; its mail can be sent again meanwhile."""
    async with open_rooms(tmp_path, policy=policy) as rooms:
        made = await join(rooms, "ann", host="School.example")
        assert isinstance(made, SignedIn)
        token = hash_secret(made.token)
        refused = NotApproved(waits_for="verification")
        assert await rooms.accounts.info(token) == refused
        assert await rooms.admission.session(token) == refused
        assert await rooms.identity.issue_ticket(token) == refused
        assert await rooms.addresses.resend(token, "en", BASE) is None
        (_, mail) = await rooms.mails()
        assert mail.to == "ann@School.example"
        assert (
            await rooms.addresses.verify(mail.text.partition("#")[2].split()[0], BASE) == "ann@School.example"
        )
        assert not isinstance(await rooms.accounts.info(token), NotApproved)
        assert await waits(rooms.store, "ann") is None


async def test_an_invitation_for_an_address_is_for_whoever_reads_its_mail(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=INVITE) as rooms:
        number = await invite(rooms.store, rooms.clock, SECRET, email="ann@example.org")
        assert await join(rooms, "bob", SECRET) == InvitationRequired()
        assert isinstance(await join(rooms, "ann", SECRET), SignedIn)
        assert await waits(rooms.store, "ann") == "verification"
        assert await used(rooms.store, rooms.clock, number) == 1
        (mail,) = await rooms.mails()
        await rooms.addresses.verify(mail.text.partition("#")[2].split()[0], BASE)
        assert await waits(rooms.store, "ann") is None


# --- approval
async def test_the_operator_is_asked_and_approves_once(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        made = await join(rooms, "ann")
        assert isinstance(made, SignedIn)
        token = hash_secret(made.token)
        assert await rooms.accounts.info(token) == NotApproved()
        question, _ = await rooms.mails()
        assert question.to == OPERATOR
        assert "ann@example.org" in question.text
        link = next(word for word in question.text.split() if word.startswith(f"{SITE}/approve?lang=en#"))
        secret = link.partition("#")[2]
        desk = open_desk(rooms.store, rooms.clock, rooms.outbox)
        shown = await desk.look(secret)
        assert shown is not None
        assert shown.username == "ann"
        assert await desk.look("regl_x") is None
        assert await desk.approve("regl_x") == BadLink()
        rooms.clock.advance(HOUR)
        assert await desk.approve(secret) == "ann"
        assert await desk.approve(secret) == BadLink()
        assert await desk.look(secret) is None
        assert not isinstance(await rooms.accounts.info(token), NotApproved)
        *_, told = await rooms.mails()
        assert (told.to, told.subject) == ("ann@example.org", "Your account at example.org is approved")


async def test_who_waits_is_nobody_to_others(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        bob = await rooms.person("bob")
        ann = await join(rooms, "ann")
        assert isinstance(ann, SignedIn)
        assert await rooms.accounts.id_of(bob.token, "ann") == AccountNotFound()
        assert await rooms.accounts.name_of(bob.token, str(ann.user_id)) == AccountNotFound()
        made = await rooms.memberships.create(bob.token, None, [ann.user_id])
        assert made == AccountNotFound((ann.user_id,))
        assert await join(rooms, "ann") == UsernameTaken()


async def test_an_invitation_stands_for_the_approval(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        await invite(rooms.store, rooms.clock, SECRET)
        assert await join(rooms, "bob", "regi_other") == InvitationRequired()
        assert isinstance(await join(rooms, "ann", SECRET), SignedIn)
        assert await waits(rooms.store, "ann") is None


async def test_strangers_make_so_many_wait_in_a_day(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        gate = open_gate(rooms.store, rooms.clock, rooms.outbox, APPROVE, daily=3, each=2)
        rooms.sign_ups._parts = msgspec.structs.replace(rooms.sign_ups._parts, gate=gate)
        assert isinstance(await join(rooms, "ann"), SignedIn)
        assert isinstance(await join(rooms, "bob", host="school.example"), SignedIn)
        assert await join(rooms, "cid") == TooManyRequests(DAY // 1000)
        assert await account(rooms.store, "cid") is None
        rooms.clock.advance(DAY)
        assert isinstance(await join(rooms, "cid"), SignedIn)


async def test_the_operator_gets_so_many_mails_in_an_hour(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        for number in range(25):
            assert isinstance(await join(rooms, f"person{number}"), SignedIn)
        questions = [mail for mail in await rooms.mails() if mail.to == OPERATOR]
        assert len(questions) == 20
        assert "Accounts that wait now: 20." in questions[-1].text


async def test_who_waits_too_long_is_removed_and_the_name_is_free(tmp_path: Path) -> None:
    """Twice the same name, so that what remains of the two does not meet."""
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        policy = ErasurePolicy(DAY, 30 * DAY)  # type: ignore[arg-type]
        erasure = ErasureService(rooms.store, rooms.clock, JOURNAL_SEAL, NAME_HASH, policy)
        for _ in range(2):
            made = await join(rooms, "ann")
            assert isinstance(made, SignedIn)
            rooms.clock.advance(30 * DAY - 1)
            assert await erasure.close_waiting() == 0
            rooms.clock.advance(1)
            assert (await erasure.close_waiting(), await erasure.erase_due()) == (1, 1)
            assert await account(rooms.store, "ann") is None
        kept = await rooms.store.read(lambda transaction: transaction.waiting.list(10))
        assert kept == ()


# --- the source
async def test_the_source_s_people_need_an_invitation_where_their_door_says_so(tmp_path: Path) -> None:
    async with world(tmp_path, door=INVITE) as here:
        number = await invite(here.store, here.clock, SECRET)
        assert await here.sign_in("ada") == InvitationRequired()
        service = here.sign_in_service
        begun = await service.sign_in("ada", "right", ASKER, SECRET)
        assert isinstance(begun, Registering)
        assert await here.sign_in("ada") == begun, "a running one is found without"
        assert await used(here.store, here.clock, number) == 0
        here.source.say(*STORY)
        assert (await here.story(begun.registration))[-1].event_type == "AUTHENTICATION"
        assert await used(here.store, here.clock, number) == 1
        assert await service.sign_in("grace", "right", ASKER, SECRET) == InvitationRequired()


async def test_a_registration_whose_invitation_is_gone_fails_at_its_end(tmp_path: Path) -> None:
    async with world(tmp_path, door=INVITE) as here:
        number = await invite(here.store, here.clock, SECRET)
        begun = await here.sign_in_service.sign_in("ada", "right", ASKER, SECRET)
        assert isinstance(begun, Registering)
        await here.store.write(lambda transaction: transaction.invitations.revoke(number))
        here.source.say(*STORY)
        last = (await here.story(begun.registration))[-1]
        assert (last.event_type, last.message) == ("FAILURE", "not_invited")
        assert await account(here.store, "ada") is None


async def test_a_person_of_the_source_waits_for_the_approval(tmp_path: Path) -> None:
    async with world(tmp_path, door=APPROVE) as here:
        await here.register("ada")
        assert await here.sign_in("ada") == NotApproved()
        assert await here.sign_in_service.restore("ada", "right", ASKER) == NotApproved()


# --- the directory
async def test_the_directory_spends_at_the_confirmation(tmp_path: Path) -> None:
    async with directory_door.world(tmp_path, policy=INVITE) as here:
        number = await invite(here.store, here.clock, SECRET)
        assert await here.directory.init(sign_up("alice", "a@example.org"), BASE) == SignUpNotInvited()
        assert await here.mails() == []
        first = await here.begin("alice", invitation=SECRET)
        second = await here.begin("bobby", invitation=SECRET)
        assert await used(here.store, here.clock, number) == 0
        assert isinstance(await here.directory.confirm(first), Allotted)
        assert await used(here.store, here.clock, number) == 1
        assert await here.directory.confirm(second) == SignUpNotInvited()
        ours = await here.begin("carol", "carol@school.example")
        assert isinstance(await here.directory.confirm(ours), Allotted)
        assert await waits(here.store, "carol") is None


async def test_a_trusted_platform_needs_one_too(tmp_path: Path) -> None:
    async with directory_door.world(tmp_path, policy=INVITE) as here:
        number = await invite(here.store, here.clock, SECRET)
        who = sign_up("alice", "a@example.org")
        assert await here.directory.init_trusted(who) == SignUpNotInvited()
        assert isinstance(await here.directory.init_trusted(who, "", SECRET), Allotted)
        assert isinstance(await here.directory.init_trusted(who, "", SECRET), SignUpNotInvited)
        assert await used(here.store, here.clock, number) == 1


async def test_a_confirmed_user_waits(tmp_path: Path) -> None:
    async with directory_door.world(tmp_path, policy=APPROVE) as here:
        made = await here.directory.confirm(await here.begin("alice"))
        assert isinstance(made, Allotted)
        assert made.waits
        assert await waits(here.store, "alice") == "approval"
        assert not isinstance(await here.directory.server("alice"), Allotted)
        assert await here.directory.check("alice") is True
        taken_name = await here.directory.init(sign_up("alice", "b@example.org"), BASE)
        assert taken_name == InvalidData(("taken_name",))


# --- the steps
async def test_the_steps_spend_at_the_last_one(tmp_path: Path) -> None:
    async with open_steps(tmp_path, door=INVITE, identity_secure_key="key") as steps:
        number = await invite(steps.store, steps.clock, SECRET, uses=2)
        for contact in (phone(), email()):
            assert await steps.service.first_step(contact, "", "web", ASKER) == NotInvited()
            assert await steps.service.first_step(contact, "", "web", ASKER, "regi_x") == NotInvited()
        assert steps.sms.messages == []
        assert await steps.service.create_identity(identity(), "key", False, ASKER) == NotInvited()
        user_id = await named(steps, "mine")
        assert await used(steps.store, steps.clock, number) == 0
        await taken(steps.accounts.register(phone(), proposal("mine", user_id), HERE))
        assert await used(steps.store, steps.clock, number) == 1
        assert (await steps.row(phone())).invitation is None
        await taken(steps.service.create_identity(identity(), "key", False, ASKER, SECRET))
        ours = await steps.service.first_step(email("a@school.example"), "", "web", ASKER)
        assert isinstance(ours, StepResult)


async def named(steps: Steps, username: str, invitation: str = SECRET) -> str:
    await taken(steps.service.first_step(phone(), "", "web", ASKER, invitation))
    await taken(steps.service.verify(phone(), steps.sms.code, False, ASKER.address))
    found = (await taken(steps.service.set_username(phone(), username, HERE))).registration
    assert found.user_id is not None
    return found.user_id


async def test_another_invitation_takes_the_place_of_one_that_is_used_up(tmp_path: Path) -> None:
    async with open_steps(tmp_path, door=INVITE) as steps:
        number = await invite(steps.store, steps.clock, SECRET)
        user_id = await named(steps, "mine")
        await steps.store.write(lambda transaction: transaction.invitations.revoke(number))
        agreed = proposal("mine", user_id)
        assert await steps.accounts.register(phone(), agreed, HERE) == NotInvited()
        other = await invite(steps.store, steps.clock, "regi_other")
        again = msgspec.structs.replace(agreed, invitation="regi_other")
        await taken(steps.accounts.register(phone(), again, HERE))
        assert await used(steps.store, steps.clock, other) == 1


async def test_a_finished_registration_waits_and_its_person_hears_of_the_approval(tmp_path: Path) -> None:
    """The steps keep no address, so the mail was written at the beginning."""
    async with open_steps(tmp_path, door=APPROVE, ledger=lambda _: EmbeddedLedger(JOURNAL_SEAL)) as steps:
        user_id = await steps.to_registered(email("alice@example.org"), "mine")
        assert await waits(steps.store, "mine") == "approval"
        assert isinstance(await steps.onboarding.shared_link(user_id), StepRefusal)
        rows = await steps.store.read(lambda transaction: transaction.outbox.list(100))
        opened = [steps.outbox.open(row.sealed) for row in rows]
        question = next(mail for mail in opened if mail is not None and mail.to == OPERATOR)
        desk = open_desk(steps.store, steps.clock, steps.outbox)
        secret = next(word for word in question.text.split() if "#" in word).partition("#")[2]
        assert await desk.approve(secret) == "mine"
        rows = await steps.store.read(lambda transaction: transaction.outbox.list(100))
        last = steps.outbox.open(rows[-1].sealed)
        assert last is not None
        assert last.to == "alice@example.org"
        assert await steps.onboarding.shared_link(user_id) == 1


async def test_a_wait_ends_once(tmp_path: Path) -> None:
    """Whatever comes first, an approval, a refusal or a deletion, the others find nothing."""
    async with open_rooms(tmp_path, policy=APPROVE) as rooms:
        made = await join(rooms, "ann")
        assert isinstance(made, SignedIn)
        ann, now = made.user_id, rooms.clock.now()

        async def end(transaction: Transaction) -> bool:
            return await transaction.waiting.end(ann, ("approval",), now)

        assert await rooms.store.write(lambda t: t.waiting.end(ann, ("verification",), now)) is False
        assert await rooms.store.write(end) is True
        assert await rooms.store.write(end) is False
