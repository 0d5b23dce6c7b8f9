"""Sessions as their person sees and ends them, tokens for programs, and what is written when."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from regserver.domain.instant import DAY, MINUTE, SECOND, Duration
from regserver.domain.outcome import (
    BadExpiresIn,
    BadToken,
    BadTokenName,
    NamedTokenRefused,
    SessionNotFound,
    TooManyTokens,
)
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.session import AccountSession, SessionId
from regserver.service import identity_service
from regserver.service.asker import Asker
from regserver.service.identity_service import TRIM_AT, Session, SignedIn
from regserver.service.session_service import (
    NamedTokenPolicy,
    NamedTokenWish,
    SessionService,
    SessionView,
)
from regserver.service.session_upkeep import SessionUpkeep
from tests.rooms import Rooms, Somebody, made, open_rooms

PHONE = Asker("2001:db8:1:2::3", "en", "Phone/1.0\x00 (\u202eevil)")


class Desk:
    """Sessions of people of a room door. upkeep: what writes their uses."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        policy = NamedTokenPolicy(most=2, ttl=Duration(DAY), longest=Duration(2 * DAY))
        self.service = SessionService(rooms.identity, rooms.broker, policy)
        self.upkeep = SessionUpkeep(rooms.store, rooms.clock, rooms.broker, rooms.identity.uses)

    async def sign_in(self, person: Somebody, asker: Asker = PHONE) -> SignedIn:
        return await self.rooms.store.write(
            lambda transaction: self.rooms.identity.issue(transaction, person.id, asker)
        )

    async def list(self, token: SecretHash) -> list[SessionView]:
        listed = await self.service.list(token)
        assert isinstance(listed, tuple)
        return list(listed)

    async def stored(self, person: Somebody) -> dict[SecretHash, AccountSession]:
        found = await self.rooms.store.read(
            lambda transaction: transaction.tokens.of_account(person.id, self.rooms.clock.now(), 9999)
        )
        return dict(found)

    async def add(self, token: SecretHash, name: str, expires_in: int | None = None) -> object:
        return await self.service.add_named(token, NamedTokenWish(name, expires_in), PHONE)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_rooms(tmp_path) as rooms:
        yield Desk(rooms)


async def test_a_list_says_from_where_and_which_is_ones_own(desk: Desk) -> None:
    ann, _ = await desk.rooms.people("ann", "bob")
    desk.rooms.clock.advance(MINUTE)
    phone = await desk.sign_in(ann)
    views = await desk.list(ann.token)
    assert [(view.current, view.session.network, view.session.agent) for view in views] == [
        (True, "192.0.2.0/24", ""),
        (False, "2001:db8:1::/48", "Phone/1.0  ( evil)"),
    ]
    assert views[1].session.id == phone.session_id
    assert views[1].session.expires_at - views[1].session.created_at == 10 * DAY
    assert [view.current for view in await desk.list(hash_secret(phone.token))] == [True, False]


async def test_uses_are_seen_at_once_and_written_together(desk: Desk) -> None:
    (ann,) = await desk.rooms.people("ann")
    phone = hash_secret((await desk.sign_in(ann)).token)
    began = desk.rooms.clock.now()
    for _ in range(3):
        desk.rooms.clock.advance(20 * SECOND)
        await desk.rooms.accounts.info(phone)
    used = desk.rooms.clock.now()
    assert [view.session.last_used_at for view in await desk.list(ann.token)] == [used, used]
    assert {session.last_used_at for session in (await desk.stored(ann)).values()} == {began}
    await desk.upkeep.write()
    assert {session.last_used_at for session in (await desk.stored(ann)).values()} == {used}
    assert desk.rooms.identity.uses.take() == {}


async def test_a_refused_token_leaves_no_trace(desk: Desk) -> None:
    (ann,) = await desk.rooms.people("ann")
    assert await desk.rooms.accounts.info(hash_secret("nobody")) == BadToken()
    await desk.rooms.accounts.sign_out(ann.token, everywhere=True)
    desk.rooms.identity.uses.take()
    assert await desk.rooms.accounts.info(ann.token) == BadToken()
    assert desk.rooms.identity.uses.take() == {}


async def test_a_use_that_is_older_than_the_written_one_changes_nothing(desk: Desk) -> None:
    (ann,) = await desk.rooms.people("ann")
    desk.rooms.identity.uses.note(ann.token, desk.rooms.clock.now())
    desk.rooms.clock.advance(MINUTE)
    later = desk.rooms.clock.now()
    await desk.rooms.store.write(lambda transaction: transaction.tokens.note_uses([(ann.token, later)]))
    await desk.upkeep.write()
    assert (await desk.stored(ann))[ann.token].last_used_at == later


async def test_one_session_ends_alone_and_only_its_owner_ends_it(desk: Desk) -> None:
    ann, bob = await desk.rooms.people("ann", "bob")
    phone, tablet = [await desk.sign_in(ann) for _ in range(2)]
    for nobody in (SessionId(0), SessionId(2**40)):
        assert await desk.service.end(ann.token, nobody) == SessionNotFound()
    assert await desk.service.end(bob.token, phone.session_id) == SessionNotFound()
    assert await desk.service.end(ann.token, phone.session_id) is None
    assert await desk.service.end(ann.token, phone.session_id) == SessionNotFound()
    identity = desk.rooms.identity
    assert await identity.session(hash_secret(phone.token)) == BadToken()
    for token in (ann.token, hash_secret(tablet.token), bob.token):
        assert isinstance(await identity.session(token), Session)


async def test_a_named_token_has_a_life_of_its_own(desk: Desk) -> None:
    (ann,) = await desk.rooms.people("ann")
    short = made(SignedIn, await desk.add(ann.token, "short", 60))
    made(SignedIn, await desk.add(ann.token, "usual"))
    lives = {view.session.name: view.session.expires_at for view in await desk.list(ann.token)}
    now = desk.rooms.clock.now()
    assert lives == {"short": now + MINUTE, "usual": now + DAY, None: now + 10 * DAY}
    assert (short.expires_in, await desk.add(ann.token, "third")) == (60, TooManyTokens())
    assert isinstance(await desk.rooms.identity.session(hash_secret(short.token)), Session)
    desk.rooms.clock.advance(MINUTE)
    assert await desk.rooms.identity.session(hash_secret(short.token)) == BadToken()
    again = made(SignedIn, await desk.add(ann.token, "third"))  # an expired one takes no place
    assert await desk.add(hash_secret(again.token), "fourth") == NamedTokenRefused()


@pytest.mark.parametrize("expires_in", [0, -1, 2 * DAY // SECOND + 1, 10**30])
async def test_lives_that_a_token_may_not_have(desk: Desk, expires_in: int) -> None:
    (ann,) = await desk.rooms.people("ann")
    assert await desk.add(ann.token, "x", expires_in) == BadExpiresIn()
    assert await desk.add(ann.token, "", 60) == BadTokenName()
    assert len(await desk.stored(ann)) == 1


async def test_an_account_keeps_a_bounded_number_of_sign_ins(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_service, "MOST_SIGN_INS", 3)
    ann, bob = await desk.rooms.people("ann", "bob")
    named = made(SignedIn, await desk.add(ann.token, "backup"))
    newest: list[SignedIn] = []
    for _ in range(20 * TRIM_AT):
        desk.rooms.clock.advance(1)
        newest.append(await desk.sign_in(ann))
        if newest[-1].session_id % TRIM_AT == 0:
            break
    kept = await desk.stored(ann)
    assert kept.keys() == {hash_secret(each.token) for each in (named, *newest[-3:])}
    assert len(await desk.stored(bob)) == 1


async def test_a_list_has_a_bound_and_ones_own_session_in_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regserver.service.session_service.MOST_LISTED", 2)
    (ann,) = await desk.rooms.people("ann")
    for _ in range(3):
        desk.rooms.clock.advance(SECOND)
        await desk.sign_in(ann)
    views = await desk.list(ann.token)
    assert [view.current for view in views] == [True, False]
