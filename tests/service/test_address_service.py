"""The address of an account: a link proves it, once, and whose it is then."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.account import Account, AccountId, NewAccount
from regserver.domain.instant import DAY, HOUR
from regserver.domain.link import LINK_LIFE
from regserver.domain.outcome import BadLink, BadToken, EmailNotVerified, EmailTaken, TooManyRequests
from regserver.domain.secret import SecretHash, hash_secret
from regserver.ports.transaction import Transaction
from regserver.service.account_service import AccountDetail
from regserver.service.add_account import add_account
from regserver.service.address_exchange import LinkShown
from regserver.service.identity_service import Session, SignedIn
from regserver.service.mail_cap import DAILY_MAILS, HOURLY_MAILS
from tests.fake import claim_of
from tests.guess import HOME
from tests.rooms import BASE, Rooms, made, open_rooms

PASSWORD = "a long password"
ADDRESS = "Ann@example.org"


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with open_rooms(tmp_path) as opened:
        yield opened


async def begin(rooms: Rooms, name: str = "ann", email: str = ADDRESS) -> tuple[SecretHash, str]:
    """Signs up: the token, and the secret that was mailed."""
    signed_in = made(SignedIn, await rooms.sign_up(name, email, PASSWORD))
    return hash_secret(signed_in.token), await last_secret(rooms)


async def last_secret(rooms: Rooms) -> str:
    (secret,) = set(re.findall(r"regl_[A-Za-z0-9_-]{43}", (await rooms.mails())[-1].text))
    return str(secret)


async def account(rooms: Rooms, token: SecretHash) -> Account:
    return made(AccountDetail, await rooms.accounts.info(token)).account


async def test_a_link_verifies_once(rooms: Rooms) -> None:
    token, secret = await begin(rooms)
    (mail,) = await rooms.mails()
    assert mail.to == ADDRESS
    assert f"{BASE}/verify?lang=en#{secret}" in mail.text
    assert (await account(rooms, token)).verified_email is None
    for _ in range(2):  # looking uses nothing up
        assert await rooms.addresses.look(secret) == LinkShown("ann", ADDRESS)
    assert await rooms.addresses.verify(secret, BASE) == ADDRESS
    assert (await account(rooms, token)).verified_email == ADDRESS
    assert await rooms.addresses.verify(secret, BASE) == BadLink()
    assert await rooms.addresses.look(secret) is None


@pytest.mark.parametrize("secret", ["", "x", "regl_" + "A" * 43, "\ud800"])
async def test_what_is_no_link(rooms: Rooms, secret: str) -> None:
    await begin(rooms)
    assert await rooms.addresses.verify(secret, BASE) == BadLink()
    assert await rooms.addresses.look(secret) is None


async def test_a_link_lasts_for_a_while(rooms: Rooms) -> None:
    _, secret = await begin(rooms)
    rooms.clock.advance(LINK_LIFE["verify_email"] - 1)
    assert await rooms.addresses.look(secret) is not None
    rooms.clock.advance(1)
    assert await rooms.addresses.look(secret) is None
    assert await rooms.addresses.verify(secret, BASE) == BadLink()


async def test_a_squatter_has_nothing_once_the_owner_verifies(rooms: Rooms) -> None:
    squatter, stolen = await begin(rooms, "mallory")
    owner, secret = await begin(rooms)
    assert await rooms.addresses.verify(secret, BASE) == ADDRESS
    assert (await account(rooms, squatter)).email is None
    assert await rooms.addresses.verify(stolen, BASE) == BadLink()
    assert await rooms.addresses.look(stolen) is None
    assert (await account(rooms, owner)).verified_email == ADDRESS
    assert await rooms.sign_up("third", ADDRESS.upper(), PASSWORD) == EmailTaken()


async def test_of_two_who_verify_at_once_one_has_the_address(rooms: Rooms) -> None:
    secrets = [(await begin(rooms, name))[1] for name in ("ann", "ben")]
    outcomes: list[object] = []

    async def verify(secret: str) -> None:
        outcomes.append(await rooms.addresses.verify(secret, BASE))

    async with trio.open_nursery() as nursery:
        for secret in secrets * 10:
            nursery.start_soon(verify, secret)
    assert outcomes.count(ADDRESS) == 1
    assert outcomes.count(BadLink()) == 19


async def test_a_deleted_account_verifies_nothing(rooms: Rooms) -> None:
    token, secret = await begin(rooms)
    await rooms.delete(token)
    assert await rooms.addresses.verify(secret, BASE) == BadLink()
    key = claim_of(ADDRESS).key
    assert await rooms.store.read(lambda transaction: transaction.contacts.owner(key)) is None


async def test_another_mail_on_request(rooms: Rooms) -> None:
    token, first = await begin(rooms)
    assert await rooms.addresses.resend(token, "ru", BASE) is None
    second = await last_secret(rooms)
    assert second != first
    assert (await rooms.mails())[-1].subject == "Подтвердите адрес электронной почты на example.org"
    assert await rooms.addresses.verify(first, BASE) == ADDRESS  # mails may cross: both are good
    before = len(await rooms.mails())
    assert await rooms.addresses.resend(token, "en", BASE) is None
    assert len(await rooms.mails()) == before
    assert await rooms.addresses.verify(second, BASE) == ADDRESS


async def test_an_address_is_sent_few_mails_whoever_asks(rooms: Rooms) -> None:
    token, _ = await begin(rooms)
    for _ in range(HOURLY_MAILS - 1):
        assert await rooms.addresses.resend(token, "en", BASE) is None
    refused = await rooms.addresses.resend(token, "en", BASE)
    assert refused == TooManyRequests(HOUR.whole_seconds)
    # A sign-up must not tell: it succeeds without a mail.
    await begin(rooms, "other", "ann@EXAMPLE.org")
    assert len(await rooms.mails()) == HOURLY_MAILS
    sent = HOURLY_MAILS
    for _ in range(23):
        rooms.clock.advance(HOUR)
        for _ in range(HOURLY_MAILS + 1):
            sent += await rooms.addresses.resend(token, "en", BASE) is None
    assert sent == DAILY_MAILS == len(await rooms.mails())
    rooms.clock.advance(DAY)
    assert await rooms.addresses.resend(token, "en", BASE) is None


async def test_rooms_wait_for_the_address_where_it_is_required(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, requires_verified=True) as rooms:
        token, secret = await begin(rooms)
        secret_token = made(SignedIn, await rooms.sign_up("ben", "ben@example.org", PASSWORD)).token
        other = hash_secret(secret_token)
        assert await rooms.memberships.create(token, None, []) == EmailNotVerified()
        assert await rooms.rooms.list(token) == EmailNotVerified()
        assert await rooms.recovery.begin(token, None) == EmailNotVerified()
        assert await rooms.admission.session(token) == EmailNotVerified()
        ticket = await rooms.identity.issue_ticket(token)
        assert await rooms.admission.redeem_ticket(hash_secret(str(ticket))) == EmailNotVerified()
        assert await rooms.addresses.verify(secret, BASE) == ADDRESS
        assert isinstance(await rooms.memberships.create(token, None, []), int)
        assert isinstance(await rooms.admission.session(token), Session)
        assert await rooms.rooms.list(other) == EmailNotVerified()
        assert await rooms.admission.session(hash_secret("nothing")) == BadToken()


async def test_people_of_other_doors_need_no_address(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, requires_verified=True) as rooms:
        new = NewAccount(username="ada", origin="live", created_at=rooms.clock.now())

        async def work(transaction: Transaction) -> SignedIn:
            account = AccountId(made(int, await add_account(transaction, new)))
            return await rooms.identity.issue(transaction, account, HOME)

        token = hash_secret((await rooms.store.write(work)).token)
        assert isinstance(await rooms.memberships.create(token, None, []), int)
