"""Deletion with a time of grace: who can still bring an account back, and what it finds there."""

from pathlib import Path

from regserver.domain.account import AccountId
from regserver.domain.guess import FREE_FAILURES
from regserver.domain.instant import DAY, SECOND, after
from regserver.domain.outcome import BadCredentials, BadToken, TooManyRequests, UserIsDeleted
from regserver.domain.secret import hash_secret
from regserver.ports.source import Rejected
from regserver.service.identity_service import Session, SignedIn
from regserver.service.sign_in_outcome import Registering
from tests.deletion import GRACE, open_erasure, restore_account
from tests.fake import EPOCH
from tests.guess import HOME
from tests.live_world import RIGHT, STORY, World, world
from tests.rooms import open_rooms

ROSA = "her own password"


async def rosa(here: World) -> SignedIn:
    """Somebody of the room door, signed in."""
    await here.add_elsewhere("rosa", ROSA)
    here.source.verdict = Rejected()
    signed_in = await here.sign_in("rosa", ROSA)
    assert isinstance(signed_in, SignedIn)
    return signed_in


async def restore(here: World, username: str = "rosa", password: str = ROSA) -> object:
    return await here.sign_in_service.restore(username, password, HOME)


async def test_the_right_password_tells_until_when_and_only_that_restores(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        token = hash_secret((await rosa(here)).token)
        assert await here.deletion.delete(token, None, HOME) is None
        until = after(EPOCH, GRACE)
        assert await here.sign_in("rosa", ROSA) == UserIsDeleted(restorable_until=until)
        assert await here.sign_in("rosa", "wrong") == BadCredentials()
        assert await restore(here, password="wrong") == BadCredentials()
        identity = here.parts.identity
        assert await identity.session(token) == UserIsDeleted()
        restored = await restore(here)
        assert isinstance(restored, SignedIn)
        assert isinstance(await identity.session(hash_secret(restored.token)), Session)
        assert await identity.session(token) == BadToken()  # sessions of before the deletion have ended
        assert isinstance(await here.sign_in("rosa", ROSA), SignedIn)


async def test_after_the_grace_it_is_gone_for_good(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        signed_in = await rosa(here)
        await here.deletion.delete(hash_secret(signed_in.token), None, HOME)
        erasure = open_erasure(here.store, here.clock)
        here.clock.advance(GRACE - SECOND)
        assert await erasure.erase_due() == 0
        here.clock.advance(SECOND)
        assert await restore(here) == UserIsDeleted()  # also before the erasure has come round
        assert await erasure.erase_due() == 1
        assert await restore(here) == BadCredentials()
        assert await here.sign_in("rosa", ROSA) == BadCredentials()  # as of a name that nobody has
        assert await here.parts.identity.session(hash_secret(signed_in.token)) == UserIsDeleted()
        again = await here.store.write(
            lambda transaction: restore_account(transaction, signed_in.user_id, here.clock.now())
        )
        assert again is False


async def test_a_password_that_is_sent_must_be_right_and_is_a_guess(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        token = hash_secret((await rosa(here)).token)
        for _ in range(FREE_FAILURES):
            assert await here.deletion.delete(token, "wrong", HOME) == BadCredentials()
        assert isinstance(await here.deletion.delete(token, ROSA, HOME), TooManyRequests)
        here.clock.advance(DAY)
        assert await here.deletion.delete(token, ROSA, HOME) is None


async def test_restoring_makes_nobody(tmp_path: Path) -> None:
    """Somebody whom only the source knows has nothing to be restored."""
    async with world(tmp_path) as here:
        assert await restore(here, "ada", RIGHT) == BadCredentials()
        assert here.live.running == 0


async def test_of_an_account_that_is_there_it_is_a_sign_in(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await rosa(here)
        assert isinstance(await restore(here), SignedIn)
        assert await restore(here, password="wrong") == BadCredentials()


async def test_a_person_of_the_source_comes_back_and_after_erasure_anew(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.register("ada")
        signed_in = await here.sign_in("ada")
        assert isinstance(signed_in, SignedIn)
        await here.deletion.delete(hash_secret(signed_in.token), None, HOME)
        assert isinstance(await here.sign_in("ada"), UserIsDeleted)
        assert isinstance(await restore(here, "ada", RIGHT), SignedIn)
        again = await here.sign_in("ada")
        assert isinstance(again, SignedIn)
        await here.deletion.delete(hash_secret(again.token), None, HOME)
        here.clock.advance(GRACE)
        await open_erasure(here.store, here.clock).erase_due()
        anew = await here.sign_in("ada")
        assert isinstance(anew, Registering)
        here.source.say(*STORY)
        await here.story(anew.registration)
        fresh = await here.sign_in("ada")
        assert isinstance(fresh, SignedIn)
        assert fresh.user_id != signed_in.user_id
        account = await here.store.read(lambda transaction: transaction.accounts.by_id(fresh.user_id))
        assert account is not None
        assert account.username == "ada-2"  # a name is never given again


async def test_posts_stay_by_a_deleted_user(tmp_path: Path) -> None:
    async with open_rooms(tmp_path) as rooms:
        ann, bob = await rooms.people("ann", "bob")
        room = await rooms.room(ann, bob)
        await rooms.post(ann, room, "hello")

        async def names() -> set[str]:
            page = await rooms.rooms.read_all(bob.token, str(room), None, 10)
            listed = await rooms.rooms.list(bob.token)
            return {post.username for post in page.posts} | {  # type: ignore[union-attr]
                summary.last_post.username
                for summary in listed.rooms  # type: ignore[union-attr]
                if summary.last_post
            }

        assert await names() == {"ann"}
        await rooms.delete(ann.token)
        assert await names() == {"deleted user"}  # at once, as her id has no name either
        await rooms.store.write(
            lambda transaction: restore_account(transaction, AccountId(ann.id), rooms.clock.now())
        )
        assert await names() == {"ann"}
