"""Another address: a link to the new one, a link back at the old one, and what nobody can do with either."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.account import Account, AccountId, NewAccount, name_key
from regserver.domain.contact import parse_email
from regserver.domain.guess import FREE_FAILURES
from regserver.domain.instant import DAY, HOUR
from regserver.domain.link import LINK_LIFE
from regserver.domain.outcome import (
    BadCredentials,
    BadEmail,
    BadLink,
    BadRecovery,
    BadToken,
    EmailTaken,
    RecentSignInRequired,
    Refusal,
    TooManyRequests,
)
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.session import RECENT_SIGN_IN
from regserver.domain.steps_machine import Registration
from regserver.ports.mailer import Mail
from regserver.ports.passkey_table import NewPasskey
from regserver.ports.transaction import Transaction
from regserver.service.account_recovery import RecoveryWish
from regserver.service.add_account import add_account
from regserver.service.address_change import DAILY_CHANGES, AddressWish
from regserver.service.address_exchange import LinkShown
from regserver.service.identity_service import SignedIn
from regserver.service.mail_cap import HOURLY_MAILS
from tests.address import HASHER
from tests.change import account_of, give_source, is_signed_in, open_password_change
from tests.fake import PEPPER, claim_of
from tests.guess import HOME
from tests.recovery import add_totp, open_account_recovery, recovery_link
from tests.rooms import BASE, Rooms, made, open_rooms

PASSWORD, STOLEN = "a long password", "quite another phrase"
OLD, NEW, LAST = "Ann@example.org", "ann@example.net", "ann@example.com"
Owner = tuple[AccountId, SecretHash]


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


def secret_in(mail: Mail) -> str:
    (secret,) = set(re.findall(r"regl_[A-Za-z0-9_-]{43}", mail.text))
    return str(secret)


async def last_mail(rooms: Rooms) -> Mail:
    return (await rooms.mails())[-1]


async def begin(rooms: Rooms, name: str = "ann", email: str = OLD, *, verified: bool = True) -> Owner:
    signed_in = made(SignedIn, await rooms.sign_up(name, email, PASSWORD))
    if verified:
        assert await rooms.addresses.verify(secret_in(await last_mail(rooms)), BASE) == email
    return signed_in.user_id, hash_secret(signed_in.token)


def wish(email: str, password: str | None = PASSWORD) -> AddressWish:
    return AddressWish(email, password, BASE)


async def asked(rooms: Rooms, token: SecretHash, email: str = NEW) -> str:
    """The secret in the mail to the new address."""
    assert await rooms.address_change.ask(token, wish(email), HOME) is None
    mail = await last_mail(rooms)
    assert mail.to == email
    return secret_in(mail)


async def changed(rooms: Rooms, token: SecretHash, email: str = NEW) -> str:
    """The secret of the link that undoes it."""
    assert await rooms.addresses.verify(await asked(rooms, token, email), BASE) == email
    return secret_in(await last_mail(rooms))


async def owner(rooms: Rooms, email: str) -> AccountId | None:
    found = await rooms.store.read(lambda transaction: transaction.contacts.owner(claim_of(email).key))
    return None if found is None else found.id


async def add_passkey(rooms: Rooms, account: AccountId) -> None:
    new = NewPasskey(
        credential=b"c",
        account=account,
        public_key=b"",
        sign_count=0,
        name="key",
        created_at=rooms.clock.now(),
    )
    assert await rooms.store.write(lambda transaction: transaction.passkeys.add(new))


async def passkeys(rooms: Rooms, account: AccountId) -> int:
    return len(await rooms.store.read(lambda transaction: transaction.passkeys.of_account(account)))


# --- the change
async def test_the_new_address_replaces_the_old_one_once_it_is_proved(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await asked(rooms, token)
    assert (await last_mail(rooms)).subject == "Confirm your new e-mail address at example.org"
    assert f"{BASE}/verify?lang=en#{secret}" in (await last_mail(rooms)).text
    for _ in range(2):  # looking uses nothing up, and changes nothing
        assert await rooms.addresses.look(secret) == LinkShown("ann", NEW)
    assert (await account_of(rooms, account)).verified_email == OLD
    assert await rooms.addresses.verify(secret, BASE) == NEW
    assert (await account_of(rooms, account)).verified_email == NEW
    assert [await owner(rooms, each) for each in (OLD, NEW)] == [None, account]
    told = await last_mail(rooms)
    assert told.to == OLD
    assert f"{BASE}/undo?lang=en#{secret_in(told)}" in told.text
    assert "a***@e***.net" in told.text
    assert NEW not in told.text
    assert await is_signed_in(rooms, token)
    assert await rooms.addresses.verify(secret, BASE) == BadLink()
    assert await rooms.addresses.look(secret) is None
    made(SignedIn, await rooms.sign_up("third", OLD, PASSWORD))  # it is free again
    assert await rooms.sign_up("fourth", NEW.upper(), PASSWORD) == EmailTaken()


@pytest.mark.parametrize(
    ("password", "email", "refusal"),
    [
        ("wrong", NEW, BadCredentials()),
        ("", NEW, BadCredentials()),
        (None, NEW, BadCredentials()),
        (PASSWORD, "nobody", BadEmail()),
        (PASSWORD, "", BadEmail()),
        (PASSWORD, "a=?b@example.org", BadEmail()),
    ],
)
async def test_one_wrong_field_mails_nothing(
    rooms: Rooms, password: str | None, email: str, refusal: Refusal
) -> None:
    account, token = await begin(rooms)
    count = len(await rooms.mails())
    assert await rooms.address_change.ask(token, wish(email, password), HOME) == refusal
    nobody = hash_secret("nothing")
    assert await rooms.address_change.ask(nobody, wish(NEW), HOME) == BadToken()
    assert len(await rooms.mails()) == count
    assert (await account_of(rooms, account)).verified_email == OLD


async def test_a_wrong_password_is_a_guess(rooms: Rooms) -> None:
    _, token = await begin(rooms)
    for _ in range(FREE_FAILURES):
        assert await rooms.address_change.ask(token, wish(NEW, "wrong"), HOME) == BadCredentials()
    assert isinstance(await rooms.address_change.ask(token, wish(NEW), HOME), TooManyRequests)


async def test_without_a_password_a_recent_sign_in_is_asked_for(rooms: Rooms) -> None:
    person = await rooms.person("ann")
    assert await rooms.address_change.ask(person.token, wish(NEW, None), HOME) is None
    rooms.clock.advance(RECENT_SIGN_IN)
    outcome = await rooms.address_change.ask(person.token, wish(NEW, None), HOME)
    assert outcome == RecentSignInRequired()


async def test_a_wish_is_replaced_without_a_notice(rooms: Rooms) -> None:
    account, token = await begin(rooms, verified=False)
    wished = secret_in(await last_mail(rooms))
    secret = await asked(rooms, token)
    count = len(await rooms.mails())
    assert await rooms.addresses.verify(secret, BASE) == NEW
    assert len(await rooms.mails()) == count
    assert (await account_of(rooms, account)).verified_email == NEW
    assert await rooms.addresses.verify(wished, BASE) == BadLink()


async def test_the_last_wish_counts(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    first = await asked(rooms, token, NEW)
    second = await asked(rooms, token, LAST)
    assert await rooms.addresses.verify(first, BASE) == BadLink()
    assert await rooms.addresses.verify(second, BASE) == LAST
    assert (await account_of(rooms, account)).email == LAST


async def test_the_address_that_the_account_has_is_sent_nothing(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    count = len(await rooms.mails())
    assert await rooms.address_change.ask(token, wish(f" {OLD} "), HOME) is None
    assert len(await rooms.mails()) == count
    await changed(rooms, token, OLD.upper())  # another spelling is a change like any other
    assert await owner(rooms, OLD) == account
    assert (await account_of(rooms, account)).verified_email == OLD.upper()


async def test_an_address_of_another_account_hears_of_it_and_the_asker_does_not(rooms: Rooms) -> None:
    other, _ = await begin(rooms, "ben", "ben@example.org")
    account, token = await begin(rooms)
    assert await rooms.address_change.ask(token, wish("Ben@example.org"), HOME) is None
    told = await last_mail(rooms)
    assert (told.to, told.subject) == (
        "Ben@example.org",
        "This address already has an account at example.org",
    )
    assert "regl_" not in told.text
    assert [await owner(rooms, "ben@example.org"), await owner(rooms, OLD)] == [other, account]


async def test_who_verifies_first_has_the_address(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await asked(rooms, token)
    other, _ = await begin(rooms, "ben", NEW)
    assert await rooms.addresses.look(secret) is None
    assert await rooms.addresses.verify(secret, BASE) == BadLink()
    assert [await owner(rooms, NEW), await owner(rooms, OLD)] == [other, account]


async def test_wishes_for_the_new_address_are_gone(rooms: Rooms) -> None:
    squatter, _ = await begin(rooms, "mallory", NEW, verified=False)
    _, token = await begin(rooms)
    await changed(rooms, token)
    assert (await account_of(rooms, squatter)).email is None


async def test_mails_are_bounded_by_address_and_by_account_and_the_answer_does_not_tell(rooms: Rooms) -> None:
    _, token = await begin(rooms)
    before = len(await rooms.mails())
    for _ in range(HOURLY_MAILS + 2):
        assert await rooms.address_change.ask(token, wish(NEW), HOME) is None
    assert len(await rooms.mails()) == before + HOURLY_MAILS
    for number in range(DAILY_CHANGES - HOURLY_MAILS - 2):
        assert await rooms.address_change.ask(token, wish(f"n{number}@example.org"), HOME) is None
    refused = await rooms.address_change.ask(token, wish(LAST), HOME)
    assert refused == TooManyRequests(DAY.whole_seconds)
    rooms.clock.advance(DAY)
    assert await rooms.address_change.ask(token, wish(LAST), HOME) is None


async def test_the_link_lasts_for_a_while(rooms: Rooms) -> None:
    _, token = await begin(rooms)
    secret = await asked(rooms, token)
    rooms.clock.advance(LINK_LIFE["change_email"])
    assert await rooms.addresses.verify(secret, BASE) == BadLink()


async def test_each_link_is_good_for_its_purpose_alone(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    recovery = open_account_recovery(rooms)
    undo = await changed(rooms, token)
    change = await asked(rooms, token, LAST)
    recover = await recovery_link(rooms, account)
    for wrong in (undo, recover):
        assert await rooms.addresses.verify(wrong, BASE) == BadLink()
        assert await rooms.addresses.look(wrong) is None
    for wrong in (change, recover):
        assert await rooms.address_change.undo(wrong, BASE) == BadLink()
        assert await rooms.address_change.look(wrong) is None
    for wrong in (change, undo):
        assert await recovery.reset(wrong, STOLEN) == BadRecovery()
    assert await rooms.addresses.verify(change, BASE) == LAST


# --- undone
async def test_an_undoing_gives_the_address_back_and_closes_every_way_in(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await changed(rooms, token)
    await add_passkey(rooms, account)
    assert await open_password_change(rooms).change(token, PASSWORD, STOLEN, HOME) is None
    for _ in range(2):
        assert await rooms.address_change.look(secret) == LinkShown("ann", OLD)
    assert await is_signed_in(rooms, token)
    assert await rooms.address_change.undo(secret, BASE) == OLD
    now = await account_of(rooms, account)
    assert (now.verified_email, now.password_hash) == (OLD, None)
    assert [await owner(rooms, each) for each in (OLD, NEW)] == [account, None]
    assert not await is_signed_in(rooms, token)
    assert await passkeys(rooms, account) == 0
    assert await rooms.address_change.undo(secret, BASE) == BadLink()
    assert await rooms.address_change.look(secret) is None
    mail = await last_mail(rooms)
    assert mail.to == OLD
    assert f"{BASE}/recover?lang=en#{secret_in(mail)}" in mail.text
    assert await open_account_recovery(rooms).reset(secret_in(mail), PASSWORD) is None
    known = (await account_of(rooms, account)).password_hash
    assert [bool(await HASHER.verify(each, known)) for each in (PASSWORD, STOLEN)] == [True, False]


async def test_an_undoing_keeps_the_second_factor(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await changed(rooms, token)
    await add_totp(rooms, account)
    assert await rooms.address_change.undo(secret, BASE) == OLD
    totp = await rooms.store.read(lambda transaction: transaction.factors.totp(account))
    assert totp is not None
    assert totp.enabled_at is not None


async def test_the_password_of_a_source_stays(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await changed(rooms, token)
    await give_source(rooms, account, "http")
    assert await rooms.address_change.undo(secret, BASE) == OLD
    assert (await account_of(rooms, account)).password_hash is not None
    mail = await last_mail(rooms)
    assert (mail.to, mail.subject) == (OLD, "Your account at example.org has its old address again")
    assert "regl_" not in mail.text


async def test_the_earlier_link_wins(rooms: Rooms) -> None:
    """Whoever changed the address twice cannot use the second link against the first owner."""
    account, token = await begin(rooms)
    first = await changed(rooms, token, NEW)
    rooms.clock.advance(HOUR)
    second = await changed(rooms, token, LAST)
    assert await rooms.address_change.undo(second, BASE) == NEW
    assert await rooms.address_change.undo(first, BASE) == OLD
    assert (await account_of(rooms, account)).verified_email == OLD


async def test_an_undoing_ends_the_links_of_later_changes(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    first = await changed(rooms, token, NEW)
    rooms.clock.advance(HOUR)
    second = await changed(rooms, token, LAST)
    pending = await asked(rooms, token, NEW)
    assert await rooms.address_change.undo(first, BASE) == OLD
    assert await rooms.address_change.undo(second, BASE) == BadLink()
    assert await rooms.addresses.verify(pending, BASE) == BadLink()
    assert (await account_of(rooms, account)).verified_email == OLD


async def test_an_address_that_somebody_else_has_by_now_stays_theirs(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await changed(rooms, token)
    other, _ = await begin(rooms, "ben", OLD)
    assert await rooms.address_change.look(secret) is None
    assert await rooms.address_change.undo(secret, BASE) == BadLink()
    assert [await owner(rooms, OLD), await owner(rooms, NEW)] == [other, account]
    assert await is_signed_in(rooms, token)


async def test_an_undoing_is_possible_for_a_week_and_survives_new_passwords(rooms: Rooms) -> None:
    account, token = await begin(rooms)
    secret = await changed(rooms, token)
    assert await open_password_change(rooms).change(token, PASSWORD, STOLEN, HOME) is None
    recovery = open_account_recovery(rooms)
    assert await recovery.reset(await recovery_link(rooms, account), PASSWORD) is None
    rooms.clock.advance(LINK_LIFE["undo_email"] - 1)
    assert await rooms.address_change.look(secret) is not None
    rooms.clock.advance(1)
    assert await rooms.address_change.undo(secret, BASE) == BadLink()


async def test_a_deleted_account_is_neither_changed_nor_undone(rooms: Rooms) -> None:
    _, token = await begin(rooms)
    undo = await changed(rooms, token)
    change = await asked(rooms, token, LAST)
    await rooms.delete(token)
    assert await rooms.address_change.undo(undo, BASE) == BadLink()
    assert await rooms.addresses.verify(change, BASE) == BadLink()
    assert [await owner(rooms, each) for each in (OLD, NEW, LAST)] == [None, None, None]


@pytest.mark.parametrize("kind", ["change", "undo"])
async def test_of_many_at_once_one_succeeds(rooms: Rooms, kind: str) -> None:
    _, token = await begin(rooms)
    secret = await (changed(rooms, token) if kind == "undo" else asked(rooms, token))
    use = rooms.address_change.undo if kind == "undo" else rooms.addresses.verify
    outcomes: list[object] = []

    async def run() -> None:
        outcomes.append(await use(secret, BASE))

    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(run)
    assert outcomes.count(BadLink()) == 39
    assert set(outcomes) == {BadLink(), OLD if kind == "undo" else NEW}


# --- people of the steps
async def registered(rooms: Rooms, email: str) -> Account:
    """An account by steps, whose address is not stored."""
    contact, now = parse_email(email), rooms.clock.now()
    assert contact is not None
    claim, user_id = PEPPER.claim(contact, is_verified=True), "reg1abcdefgh"
    registration = Registration(
        contact=claim.key,
        lookup=PEPPER.lookup_key(contact),
        kind="email",
        mask=contact.mask,
        state="registered",
        user_id=user_id,
        updated_at=now,
    )
    new = NewAccount(username="eve", origin="steps", ledger_name=user_id, created_at=now, contact=claim)

    async def work(transaction: Transaction) -> None:
        await transaction.registrations.save(registration)
        made(int, await add_account(transaction, new))

    await rooms.store.write(work)
    return made(Account, await rooms.store.read(lambda t: t.accounts.by_name(name_key("eve"))))


async def test_the_contact_of_a_registration_stays_its_account_s(rooms: Rooms) -> None:
    eve = await registered(rooms, "eve@example.org")
    token = hash_secret(
        (await rooms.store.write(lambda transaction: rooms.identity.issue(transaction, eve.id, HOME))).token
    )
    for email in (NEW, "eve@example.org", LAST):  # its own contact, too, can be shown, and replaced
        assert await rooms.address_change.ask(token, wish(email, None), HOME) is None
        assert await rooms.addresses.verify(secret_in(await last_mail_to(rooms, email)), BASE) == email
        assert await owner(rooms, "eve@example.org") == eve.id
    assert [await owner(rooms, each) for each in (NEW, LAST)] == [None, eve.id]
    # A forgotten password: the mail goes to the contact that was named.
    recovery = open_account_recovery(rooms)
    for named, mailed in (("Eve@example.org", "Eve@example.org"), (LAST.upper(), LAST), ("eve", LAST)):
        assert await recovery.serve(RecoveryWish(named, "en", BASE))
        assert (await last_mail(rooms)).to == mailed


async def last_mail_to(rooms: Rooms, email: str) -> Mail:
    return [mail for mail in await rooms.mails() if mail.to == email][-1]
