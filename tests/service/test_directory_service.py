"""The directory's use cases on a real store: who gets a name, and the answers to all others."""

from pathlib import Path

import pytest
import trio

from regserver.domain.account import email_key, name_key
from regserver.domain.directory import (
    AlreadyConfirmed,
    InvalidChallenge,
    InvalidData,
    InvalidUserName,
    NoPendingCreation,
    TooManyPending,
    UnknownUserName,
)
from regserver.domain.instant import DAY, HOUR
from regserver.ports.mailer import Mail
from regserver.ports.transaction import Transaction
from regserver.service.directory_account import Allotted
from regserver.service.directory_service import ChallengeStatus
from regserver.service.mail_cap import HOURLY_MAILS
from tests.directory import BASE, World, challenge_in, sign_up, world


async def test_a_sign_up_from_beginning_to_end(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        assert await here.directory.check("Alice") is False
        challenge = await here.begin("Alice")
        assert await here.directory.check("Alice") is False  # what is pending does not count
        assert await here.directory.server("alice") == UnknownUserName()
        waiting = ChallengeStatus("pending", "Alice", begun_at=here.clock.now())
        assert await here.directory.challenge_status(challenge) == waiting
        assert await here.directory.confirm(challenge) == Allotted("one.example.org")
        assert await here.directory.check("aLICE") is True
        assert await here.directory.server("ALICE") == Allotted("one.example.org")
        assert await here.directory.confirm(challenge) == AlreadyConfirmed("one.example.org")
        assert await here.directory.challenge_status(challenge) == ChallengeStatus(
            "confirmed", "Alice", "one.example.org"
        )
        account = await here.store.read(lambda transaction: transaction.accounts.by_name(name_key("alice")))
        assert account is not None
        assert (account.username, account.email, account.origin) == (
            "Alice",
            "alice@example.org",
            "directory",
        )
        assert await here.hasher.verify("sixsix", account.password_hash)


async def test_the_mail_names_its_person_and_lasts_as_long_as_the_link(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.begin("Alice")
        (mail,) = await here.mails()
        assert mail.to == "alice@example.org"
        assert "Alice" in mail.text
        assert mail.html is not None
        assert challenge_in(mail) in mail.html
        assert mail.good_until == here.clock.now() + DAY


async def test_the_challenge_is_kept_only_as_a_hash(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice")
        stored = stored_bytes(tmp_path)
    assert b"Alice" in stored
    assert challenge.encode() not in stored
    assert b"sixsix" not in stored


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(("elapsed", "expected"), [(DAY - 1, Allotted), (DAY, NoPendingCreation)])
async def test_a_challenge_expires_to_the_moment(tmp_path: Path, elapsed: int, expected: type) -> None:
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice")
        here.clock.advance(elapsed)
        assert isinstance(await here.directory.confirm(challenge), expected)


async def test_a_confirmed_challenge_says_so_for_good(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice")
        await here.directory.confirm(challenge)
        here.clock.advance(400 * DAY)
        await here.store.write(lambda transaction: transaction.directory.purge(here.clock.now()))
        assert await here.directory.confirm(challenge) == AlreadyConfirmed("one.example.org")


async def test_what_is_unknown_or_malformed(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        assert await here.directory.confirm("abcdefghij") == NoPendingCreation()
        assert await here.directory.confirm("abc") == InvalidChallenge()
        assert await here.directory.confirm("abcdefghij\n") == InvalidChallenge()
        assert await here.directory.check("abcd") == InvalidUserName()
        assert await here.directory.server("abcde\n") == InvalidUserName()
        assert await here.directory.challenge_status("abc") == ChallengeStatus("unknown")


async def test_the_first_confirmation_of_a_name_wins(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.begin("Alice", "one@example.org")
        second = await here.begin("ALICE", "two@example.org")
        assert await here.directory.confirm(second) == Allotted("one.example.org")
        assert await here.directory.confirm(first) == AlreadyConfirmed("one.example.org")
        here.clock.advance(3 * DAY)
        assert await here.directory.confirm(first) == AlreadyConfirmed("one.example.org")


async def test_a_name_won_at_another_door(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice")
        await here.add_elsewhere("alice")
        assert await here.directory.confirm(challenge) == AlreadyConfirmed(None)
        assert await here.directory.server("alice") == Allotted(None)
        assert await here.directory.check("alice") is True


async def test_a_name_held_by_a_sign_up_under_way_may_come_free(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice")
        key, now = name_key("alice"), here.clock.now()
        await here.store.write(
            lambda transaction: transaction.names.claim(key, "steps:1", None, now),
        )
        assert await here.directory.check("alice") is True
        assert await here.directory.confirm(challenge) == InvalidData(("taken_name",))
        await here.store.write(lambda transaction: transaction.names.release(key, "steps:1"))
        assert await here.directory.confirm(challenge) == Allotted("one.example.org")


async def test_an_address_taken_meanwhile(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice", "Ada@example.org")
        await here.add_elsewhere("somebody", "ada@EXAMPLE.org")
        assert await here.directory.confirm(challenge) == InvalidData(("taken_email",))
        assert await here.directory.check("Alice") is False


async def test_many_confirmations_at_once_have_one_winner(tmp_path: Path) -> None:
    outcomes: list[object] = []
    async with world(tmp_path) as here:
        challenge = await here.begin("Alice")

        async def confirm() -> None:
            outcomes.append(await here.directory.confirm(challenge))

        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(confirm)
    assert outcomes.count(Allotted("one.example.org")) == 1
    assert outcomes.count(AlreadyConfirmed("one.example.org")) == 29


async def test_existing_names_and_addresses_are_told_after_the_syntax(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.add_elsewhere("alice", "ada@example.org")
        refused = await here.directory.init(sign_up("ALICE", "ADA@example.org"), BASE)
        assert refused == InvalidData(("taken_name", "taken_email"))
        refused = await here.directory.init(sign_up("alice", "ada@example.org", "short"), BASE)
        assert refused == InvalidData(("bad_password", "taken_name", "taken_email"))
        refused = await here.directory.init(sign_up("admin", "ada@example.org", "short"), BASE)
        assert refused == InvalidData(("reserved_name", "bad_password", "taken_email"))
        refused = await here.directory.init(sign_up("alice", "nobody", "sixsix"), BASE)
        assert refused == InvalidData(("bad_email", "taken_name"))
        assert await here.mails() == []


async def test_reserved_names_cannot_be_had(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        assert await here.directory.check("ADMIN") is True
        assert await here.directory.server("admin") == UnknownUserName()


async def test_users_go_where_fewest_are(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        hosts = [await here.directory.confirm(await here.begin(f"user{number}")) for number in range(4)]
        assert hosts == [
            Allotted("one.example.org"),
            Allotted("two.example.org"),
            Allotted("one.example.org"),
            Allotted("two.example.org"),
        ]


async def test_a_new_server_is_used_from_the_reload_on(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.directory.confirm(await here.begin("user1"))
        here.directory.take(["one.example.org", "new.example.org"], ["keeper"])
        await here.directory.recount()
        assert await here.directory.confirm(await here.begin("user2")) == Allotted("new.example.org")
        assert await here.directory.check("keeper") is True
        assert await here.directory.check("admin") is False


async def test_a_recount_forgets_the_deleted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.directory.confirm(await here.begin("user1"))
        assert await users(here) == {"one.example.org": 1}

        async def delete(transaction: Transaction) -> None:
            account = await transaction.accounts.by_name(name_key("user1"))
            assert account is not None
            await transaction.accounts.mark_deleted(account.id, here.clock.now())

        await here.store.write(delete)
        assert await here.directory.server("user1") == UnknownUserName()
        assert await here.directory.check("user1") is True
        await here.directory.recount()
        assert await users(here) == {}


async def users(here: World) -> dict[str, int]:
    return await here.store.read(lambda transaction: transaction.directory.users(["one.example.org"]))


async def test_without_a_list_everybody_is_on_this_host(tmp_path: Path) -> None:
    async with world(tmp_path, ()) as here:
        assert await here.directory.confirm(await here.begin("Alice")) == Allotted(None)


async def test_a_trusted_platform_needs_no_mail(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        made = await here.directory.init_trusted(sign_up("Alice", "a@example.org"))
        assert made == Allotted("one.example.org")
        assert await here.mails() == []
        again = await here.directory.init_trusted(sign_up("alice", "a@example.org"))
        assert again == InvalidData(("taken_name", "taken_email"))


async def test_trusted_sign_ups_race_by_the_same_rules(tmp_path: Path) -> None:
    outcomes: list[object] = []
    async with world(tmp_path) as here:

        async def make(number: int) -> None:
            outcomes.append(await here.directory.init_trusted(sign_up("Alice", f"a{number}@example.org")))

        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(make, number)
    assert outcomes.count(Allotted("one.example.org")) == 1
    assert outcomes.count(InvalidData(("taken_name",))) == 9


async def test_neutral_mode_answers_all_alike_and_tells_the_mailbox(tmp_path: Path) -> None:
    async with world(tmp_path, reveal_existing=False) as here:
        await here.add_elsewhere("alice", "ada@example.org")
        assert await here.directory.init(sign_up("other", "ada@example.org"), BASE) is None
        assert await here.directory.init(sign_up("alice", "new@example.org"), BASE) is None
        assert await here.directory.init(sign_up("fresh", "fresh@example.org"), BASE) is None
        owner, stranger, fresh = await here.mails()
        assert (owner.to, "already" in owner.subject) == ("ada@example.org", True)
        assert (stranger.to, "another name" in stranger.subject) == ("new@example.org", True)
        assert "/confirm" not in owner.text + stranger.text
        assert "/confirm" in fresh.text
        refused = await here.directory.init(sign_up("alice", "ada@example.org", "short"), BASE)
        assert refused == InvalidData(("bad_password",))


async def test_neutral_mode_does_the_same_work_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash and one mail, whether or not name or address are taken: no time tells them apart."""
    async with world(tmp_path, reveal_existing=False) as here:
        await here.add_elsewhere("alice", "ada@example.org")
        hashed, hash_it = [], here.hasher.hash

        async def counted(password: str) -> str:
            hashed.append(password)
            return await hash_it(password)

        monkeypatch.setattr(here.hasher, "hash", counted)
        for number, (name, email) in enumerate(
            (("other", "ada@example.org"), ("alice", "new@example.org"), ("fresh", "fresh@example.org")), 1
        ):
            assert await here.directory.init(sign_up(name, email), BASE) is None
            assert (len(hashed), len(await here.mails())) == (number, number)


async def test_nobodys_mailbox_is_filled(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for number in range(HOURLY_MAILS):
            await here.begin(f"user{number}", "victim@example.org")
        refused = await here.directory.init(sign_up("another", "VICTIM@example.org"), BASE)
        assert refused == TooManyPending(HOUR.whole_seconds)
        assert len(await here.mails()) == HOURLY_MAILS
        here.clock.advance(DAY + 1)
        await here.begin("another", "victim@example.org")


async def test_without_the_outbox_nothing_is_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(transaction: Transaction, mail: Mail) -> None:
        raise LookupError("no outbox")

    async with world(tmp_path) as here:
        monkeypatch.setattr(here.outbox, "enqueue", refuse)
        with pytest.raises(LookupError):
            await here.directory.init(sign_up("Alice", "alice@example.org"), BASE)
        waiting = await here.store.read(
            lambda transaction: transaction.directory.count_pending(
                email_key("alice@example.org"), here.clock.now()
            )
        )
        assert waiting == 0
