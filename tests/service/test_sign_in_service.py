"""Sign-in: when the source is asked, who gets a token, and that a stranger learns nothing."""

from pathlib import Path

import msgspec
import pytest
import trio

from regserver.domain.account import name_key
from regserver.domain.instant import HOUR
from regserver.domain.live_progress import Authentication
from regserver.domain.outcome import (
    BadCredentials,
    BadToken,
    RegistrationClosed,
    SourceUnavailable,
    TooManyRequests,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.domain.secret import hash_secret
from regserver.ports.password_hasher import PasswordMatch
from regserver.ports.source import Accepted, Subject, Unavailable
from regserver.service.identity_service import Session, SignedIn
from regserver.service.live_job import Applicant
from regserver.service.sign_in_outcome import Registering
from regserver.service.sign_in_service import SignInService
from tests.fake import claim_of
from tests.gate import CLOSED
from tests.guess import HOME
from tests.live_world import STORY, world

DOWN = Unavailable("down")


async def test_the_registered_sign_in_without_the_source(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        asked = here.source.asked
        here.source.verdict = DOWN
        for username in ("ada", "ADA", "\uff21da"):  # one name, however it is written
            assert isinstance(await here.sign_in(username), SignedIn)
        assert here.source.asked == asked


async def test_while_the_source_is_down_nobody_is_told_that_a_password_is_wrong(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        await here.add_elsewhere("rosa", "her own")
        here.source.verdict = DOWN
        for username in ("ada", "rosa", "nobody"):
            assert isinstance(await here.sign_in(username, "wrong"), SourceUnavailable)


async def test_a_changed_password_is_taken_over(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.register("ada")
        assert isinstance(first.data, Authentication)
        here.source.passwords["ada"] = "changed"
        again = await here.sign_in("ada", "changed")
        assert isinstance(again, SignedIn)
        assert again.user_id == first.data.user_id
        here.source.verdict = DOWN
        assert isinstance(await here.sign_in("ada", "changed"), SignedIn)
        assert isinstance(await here.sign_in("ada", "right"), SourceUnavailable)


async def test_a_name_that_another_door_has_is_not_the_end_of_a_person(tmp_path: Path) -> None:
    """Whom the source knows by a name that is taken here gets the next free one; its own password still opens the other."""
    async with world(tmp_path) as here:
        rosa = await here.add_elsewhere("Ada", "her own")
        await here.add_elsewhere("ada-2", "another")
        first = await here.register("ada")
        assert isinstance(first.data, Authentication)
        assert first.data.user_id != rosa
        account = await here.store.read(lambda transaction: transaction.accounts.by_name(name_key("ada-3")))
        assert account is not None
        assert (account.id, account.subject) == (first.data.user_id, "ada")
        for typed in ("ada", "ada-3"):
            again = await here.sign_in(typed, "right")
            assert isinstance(again, SignedIn)
            assert again.user_id == first.data.user_id
        other = await here.sign_in("ada", "her own")
        assert isinstance(other, SignedIn)
        assert other.user_id == rosa
        assert await here.sign_in("ada", "wrong") == BadCredentials()


async def test_a_listed_name_of_another_door(tmp_path: Path) -> None:
    """A roster's names are reserved from the start, so this account is older than the row: its person waits."""
    async with world(tmp_path) as here:
        here.source.people = (Subject("ada"),)
        await here.add_elsewhere("Ada", "her own")
        assert isinstance(await here.sign_in("ada", "her own"), SignedIn)
        assert await here.sign_in("ada", "right") == UsernameTaken()
        assert await here.sign_in("ada", "wrong") == BadCredentials()
        assert here.source.profiles == 0


async def test_two_people_whose_names_differ_for_the_source_alone(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.register("ada")
        here.source.passwords["ADA"] = "other"
        here.source.subjects["ADA"] = "a stranger"
        registration = await here.begin("ADA", "other")
        here.source.say(*STORY)
        second = (await here.story(registration))[-1]
        assert isinstance(first.data, Authentication)
        assert isinstance(second.data, Authentication)
        await here.job(registration).gone.wait()
        for typed, password, owner in (
            ("ada", "right", first.data.user_id),
            ("ADA", "other", second.data.user_id),
            ("ADA-2", "other", second.data.user_id),
        ):
            signed_in = await here.sign_in(typed, password)
            assert isinstance(signed_in, SignedIn)
            assert signed_in.user_id == owner


async def test_one_person_in_many_spellings_is_one_account(tmp_path: Path) -> None:
    """A source that folds names: whatever was typed, the account is its subject's."""
    async with world(tmp_path) as here:
        first = await here.register("ada")
        assert isinstance(first.data, Authentication)
        for typed in ("countess", "a.d.a", "Ada Lovelace"):
            here.source.passwords[typed] = "right"
            here.source.subjects[typed] = "ada"
            signed_in = await here.sign_in(typed)
            assert isinstance(signed_in, SignedIn)
            assert signed_in.user_id == first.data.user_id
        assert here.source.profiles == 1
        assert here.sockets.ended == []  # the password is the same


async def test_a_password_changed_at_the_source_ends_other_sessions(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        old = await here.sign_in()
        assert isinstance(old, SignedIn)
        here.source.passwords["ada"] = "changed"
        new = await here.sign_in("ada", "changed")
        assert isinstance(new, SignedIn)
        identity = here.parts.identity
        assert await identity.session(hash_secret(old.token)) == BadToken()
        assert isinstance(await identity.session(hash_secret(new.token)), Session)
        ((whose, tokens),) = here.sockets.ended
        assert whose == new.user_id
        assert hash_secret(old.token) in tokens
        assert hash_secret(new.token) not in tokens
        again = await here.sign_in("ada", "changed")
        assert isinstance(again, SignedIn)
        assert isinstance(await identity.session(hash_secret(new.token)), Session)


async def test_a_no_of_the_source_is_a_no_here(tmp_path: Path) -> None:
    """With live.recheck, once its last yes is older; while it is down the last yes stands, but not against a no."""
    async with world(tmp_path, recheck=HOUR) as here:
        await here.register("ada")
        del here.source.passwords["ada"]
        asked = here.source.asked
        assert isinstance(await here.sign_in(), SignedIn)
        assert here.source.asked == asked
        here.clock.advance(HOUR)
        here.source.verdict = DOWN
        assert isinstance(await here.sign_in(), SignedIn)
        here.source.verdict = None
        assert await here.sign_in() == BadCredentials()
        here.source.verdict = DOWN
        assert isinstance(await here.sign_in(), SourceUnavailable)
        here.source.verdict = None
        here.source.passwords["ada"] = "anew"
        assert isinstance(await here.sign_in("ada", "anew"), SignedIn)
        here.source.verdict = DOWN
        assert isinstance(await here.sign_in("ada", "anew"), SignedIn)


async def test_a_yes_of_the_source_holds_for_a_time(tmp_path: Path) -> None:
    async with world(tmp_path, recheck=HOUR) as here:
        await here.register("ada")
        here.clock.advance(HOUR)
        asked = here.source.asked
        for _ in range(3):
            assert isinstance(await here.sign_in(), SignedIn)
        assert here.source.asked == asked + 1


async def test_a_closed_door_takes_nobody_new(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
    async with world(tmp_path, door=CLOSED) as here:
        assert isinstance(await here.sign_in("ada"), SignedIn)
        assert await here.sign_in("grace") == RegistrationClosed()
        assert await here.sign_in("grace", "wrong") == BadCredentials()


async def test_the_deleted_stay_deleted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        account = await here.store.read(lambda transaction: transaction.accounts.by_name(name_key("ada")))
        assert account is not None
        await here.store.write(
            lambda transaction: transaction.accounts.mark_deleted(account.id, here.clock.now())
        )
        here.source.passwords["ada"] = "changed"
        assert isinstance(await here.sign_in("ada", "right"), UserIsDeleted)
        assert isinstance(await here.sign_in("ada", "changed"), UserIsDeleted)
        assert await here.sign_in("ada", "wrong") == BadCredentials()


async def test_every_no_costs_the_same(tmp_path: Path) -> None:
    """As many hashes and questions for a name that nobody has as for one that is known here, by whatever door."""
    async with world(tmp_path) as here:
        await here.register("ada")
        await here.add_elsewhere("rosa", "her own")
        costs = set()
        for username in ("ada", "rosa", "nobody"):
            before = (here.hasher.used, here.source.asked)
            assert await here.sign_in(username, "wrong") == BadCredentials()
            costs.add((here.hasher.used - before[0], here.source.asked - before[1]))
        assert costs == {(1, 1)}


async def test_who_was_registered_while_the_source_was_asked_is_let_in(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.source.may_answer = trio.Event()
        outcomes: list[object] = []

        async def late() -> None:
            outcomes.append(await here.sign_in("ada"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(late)
            await here.source.verifying.wait()
            started = await here.live.start(
                Applicant("ada", Subject("ada"), await here.hasher.hash("right"), HOME)
            )
            assert isinstance(started, str)
            here.source.say(*STORY)
            await here.story(started)
            await here.job(started).gone.wait()
            here.source.may_answer.set()
        assert isinstance(outcomes[0], SignedIn)


async def test_only_so_many_wait_for_the_source(tmp_path: Path) -> None:
    async with world(tmp_path, max_asking=1) as here:
        here.source.may_answer = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.sign_in)
            await here.source.verifying.wait()
            assert isinstance(await here.sign_in("grace"), SourceUnavailable)
            here.source.may_answer.set()
        assert isinstance(await here.sign_in("grace"), Registering)


async def test_without_a_source(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add_elsewhere("rosa", "her own")
        here.sign_in_service = SignInService(msgspec.structs.replace(here.parts, source=None))
        assert isinstance(await here.sign_in("rosa", "her own"), SignedIn)
        for username in ("rosa", "nobody"):
            assert await here.sign_in(username, "wrong") == BadCredentials()


@pytest.mark.parametrize("username", ["", "a\x00b", "x" * 300, "a\nb"])
async def test_what_cannot_be_a_name_is_not_asked_for(tmp_path: Path, username: str) -> None:
    async with world(tmp_path) as here:
        here.source.verdict = Accepted(Subject("anybody"))
        assert await here.sign_in(username, "right") == BadCredentials()
        assert here.source.asked == 0


async def test_a_verified_address_is_as_good_as_the_name(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.source.verdict = DOWN
        claim = claim_of("rosa@xn--mnchen-3ya.de")
        rosa = await here.add_elsewhere("rosa", "her own", claim)
        for typed in ("rosa@xn--mnchen-3ya.de", "ROSA@münchen.de", " Rosa@Xn--Mnchen-3ya.DE", "rosa"):
            outcome = await here.sign_in(typed.strip(), "her own")
            assert isinstance(outcome, SignedIn), typed
            assert outcome.user_id == rosa


async def test_a_wish_cannot_be_signed_in_with(tmp_path: Path) -> None:
    """Not even by who has it: whose the address is can only be told once it is verified."""
    async with world(tmp_path) as here:
        claim = claim_of("rosa@example.org", is_verified=False)
        await here.add_elsewhere("rosa", "her own", claim)
        assert isinstance(await here.sign_in("rosa", "her own"), SignedIn)
        outcomes = [await here.sign_in(f"{name}@example.org", "her own") for name in ("rosa", "nobody")]
        assert outcomes == [BadCredentials(), BadCredentials()]


async def test_guesses_by_name_and_by_address_are_counted_together(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add_elsewhere("rosa", "her own", claim_of("rosa@example.org"))
        outcomes = [
            await here.sign_in(typed, "wrong")
            for typed in ("rosa", "rosa@example.org", "ROSA@example.org", "Rosa", "rosa@EXAMPLE.org", "rosa")
        ]
        assert [type(outcome) for outcome in outcomes] == [BadCredentials] * 5 + [TooManyRequests]
        assert isinstance(await here.sign_in("rosa@example.org", "her own"), TooManyRequests)


async def test_a_password_that_is_replaced_while_it_is_compared_opens_nothing(tmp_path: Path) -> None:
    """A sign-in with the old password is on its way while the new one ends all sessions."""
    async with world(tmp_path) as here:
        await here.register("ada")
        verify, between = here.hasher.verify, trio.Event()

        async def compare(password: str, encoded: str | None) -> PasswordMatch:
            match = await verify(password, encoded)
            if password == "right" and match and not between.is_set():
                between.set()
                here.source.passwords["ada"] = "changed"
                assert isinstance(await here.sign_in("ada", "changed"), SignedIn)
            return match

        here.hasher.verify = compare  # type: ignore[method-assign]
        assert await here.sign_in("ada", "right") == BadCredentials()
        assert between.is_set()
        assert isinstance(await here.sign_in("ada", "changed"), SignedIn)


async def test_a_hash_that_is_renewed_meanwhile_is_compared_once_more(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        last = await here.register("ada")
        assert isinstance(last.data, Authentication)
        account, verify, renewed = last.data.user_id, here.hasher.verify, trio.Event()

        async def compare(password: str, encoded: str | None) -> PasswordMatch:
            match = await verify(password, encoded)
            if not renewed.is_set():
                renewed.set()
                other = await here.hasher.hash(password)
                now = here.clock.now()
                await here.store.write(
                    lambda t: t.accounts.renew_password_hash(account, encoded or "", other, now)
                )
            return match

        here.hasher.verify = compare  # type: ignore[method-assign]
        assert isinstance(await here.sign_in("ada", "right"), SignedIn)
