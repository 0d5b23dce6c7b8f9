"""Sign-in: when the source is asked, who gets a token, and that a stranger learns nothing."""

from pathlib import Path

import pytest
import trio

from regserver.domain.account import name_key
from regserver.domain.live_progress import Authentication
from regserver.domain.outcome import BadCredentials, SourceUnavailable, UserIsDeleted, UsernameTaken
from regserver.ports.source import Accepted, Subject, Unavailable
from regserver.service.identity_service import SignedIn
from regserver.service.sign_in_service import Registering
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


async def test_an_account_of_another_door(tmp_path: Path) -> None:
    """Its own password opens it; the source's does not, and does not begin a registration either."""
    async with world(tmp_path) as here:
        await here.add_elsewhere("Ada", "her own")
        assert isinstance(await here.sign_in("ada", "her own"), SignedIn)
        assert await here.sign_in("ada", "right") == UsernameTaken()
        assert await here.sign_in("ada", "wrong") == BadCredentials()
        assert here.source.profiles == 0


async def test_a_person_whom_the_source_tells_apart_does_not_get_the_account(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        here.source.passwords["ADA"] = "other"
        here.source.subjects["ADA"] = "a stranger"
        assert await here.sign_in("ADA", "other") == UsernameTaken()
        assert isinstance(await here.sign_in("ada", "right"), SignedIn)


async def test_the_deleted_stay_deleted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        account = await here.store.read(lambda transaction: transaction.accounts.by_name(name_key("ada")))
        assert account is not None
        await here.store.write(
            lambda transaction: transaction.accounts.mark_deleted(account.id, here.clock.now())
        )
        here.source.passwords["ada"] = "changed"
        assert await here.sign_in("ada", "right") == UserIsDeleted()
        assert await here.sign_in("ada", "changed") == UserIsDeleted()
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
            started = await here.live.start("ada", Subject("ada"), await here.hasher.hash("right"), "en")
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
        here.sign_in_service._source = None
        assert isinstance(await here.sign_in("rosa", "her own"), SignedIn)
        for username in ("rosa", "nobody"):
            assert await here.sign_in(username, "wrong") == BadCredentials()


@pytest.mark.parametrize("username", ["", "a\x00b", "x" * 300, "a\nb"])
async def test_what_cannot_be_a_name_is_not_asked_for(tmp_path: Path, username: str) -> None:
    async with world(tmp_path) as here:
        here.source.verdict = Accepted(Subject("anybody"))
        assert await here.sign_in(username, "right") == BadCredentials()
        assert here.source.asked == 0
