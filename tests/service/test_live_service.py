"""Live registration: one job per user, the whole history for every observer, and no partial registration."""

from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from regserver.domain.account import NameKey, name_key
from regserver.domain.instant import HOUR, SECOND, Duration, after
from regserver.domain.live_progress import Authentication, LiveMessage, RegistrationId
from regserver.domain.outcome import SourceUnavailable, UsernameTaken
from regserver.domain.secret import hash_secret
from regserver.domain.source_line import DoneLine, FailureLine, MalformedLine, SourceLine, StepLine
from regserver.ports.source import SourceFault, Subject
from regserver.ports.store import StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.live_job import Applicant, LiveJob
from regserver.service.live_runner import LINES_PER_TURN
from tests.garbage import count, no_collector
from tests.guess import HOME
from tests.live_world import NAMED, POLICY, STORY, World, world


async def rows(here: World, username: str) -> tuple[bool, bool, bool]:
    """Whether there is an account, its profile, and its name for good."""

    async def work(transaction: Transaction) -> tuple[bool, bool, bool]:
        account = await transaction.accounts.by_name(name_key(username))
        holder = await transaction.names.holder(name_key(username), here.clock.now())
        profile = account is not None and await transaction.accounts.profile(account.id) is not None
        return account is not None, profile, holder is not None and holder.key.startswith("account:")

    return await here.store.read(work)


async def test_a_registration_from_its_first_line_to_its_token(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        registration = await here.begin()
        here.source.say(*STORY)
        events = await here.story(registration)
        assert [event.event_type for event in events] == [
            "INFORMATION",
            "INFORMATION",
            "NAME",
            "AUTHENTICATION",
        ]
        assert events[2].data == NAMED.profile
        granted = events[3].data
        assert isinstance(granted, Authentication)
        owner = await here.store.read(
            lambda transaction: transaction.tokens.account(hash_secret(granted.token), here.clock.now())
        )
        assert owner is not None
        assert (owner.id, owner.username, owner.origin, owner.subject) == (
            granted.user_id,
            "ada",
            "live",
            "ada",
        )
        assert await rows(here, "ada") == (True, True, True)
        await here.job(registration).gone.wait()
        assert here.ended == ["registered"]
        assert here.live.running == 0


async def test_a_registration_that_is_forgotten_leaves_nothing_to_the_collector(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(POLICY, replay=Duration(SECOND // 20))
    async with world(tmp_path, policy=policy) as here:
        with no_collector():
            registration = await here.begin()
            here.source.say(*STORY)
            await here.story(registration)
            with trio.fail_after(10):
                while count(LiveJob):  # for a moment also a thread of the store holds it
                    await trio.testing.wait_all_tasks_blocked(0.02)


async def test_fifty_first_sign_ins_are_one_registration(tmp_path: Path) -> None:
    async with world(tmp_path, max_asking=50) as here:
        found: set[RegistrationId] = set()

        async def sign_in() -> None:
            found.add(await here.begin())

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(sign_in)
        assert len(found) == 1
        assert (here.source.asked, here.source.profiles) == (50, 1)


async def test_the_name_is_reserved_while_it_runs_and_free_after_a_failure(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        registration = await here.begin()
        assert await here.add_elsewhere("Ada", "x") == UsernameTaken()
        here.source.say(FailureLine("No record"))
        assert (await here.story(registration))[-1].message == "No record"
        await here.job(registration).gone.wait()
        assert await rows(here, "ada") == (False, False, False)
        assert isinstance(await here.add_elsewhere("Ada", "x"), int)


async def test_a_name_that_another_door_has_reserved(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.source.people = (Subject("ada"),)

        async def claim(transaction: Transaction) -> bool:
            now = here.clock.now()
            return await transaction.names.claim(NameKey("ada"), "steps:1", after(now, HOUR), now)

        assert await here.store.write(claim)
        assert await here.sign_in() == UsernameTaken()
        assert here.live.running == 0
        here.clock.advance(HOUR + 1)
        await here.begin()


async def test_a_second_try_right_after_a_failure_is_a_new_registration(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.begin()
        here.source.say(SourceFault("gone"))
        events = await here.story(first)  # ends while the job still gives its name back
        assert events[-1].event_type == "FAILURE"
        second = await here.begin()
        assert second != first
        here.source.say(*STORY)
        assert (await here.story(second))[-1].event_type == "AUTHENTICATION"
        assert here.ended[0] == "failed"


BREAKS: dict[str, tuple[list[SourceLine | SourceFault], str]] = {
    "malformed": ([MalformedLine("a detail")], "a malformed line: a detail"),
    "second name": ([NAMED, NAMED], "a second name"),
    "done too early": ([StepLine("x"), DoneLine()], "done before the name"),
    "fault": ([NAMED, SourceFault("it is down")], "it is down"),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_what_breaks_the_protocol_is_one_failure(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines, detail = BREAKS[case]
    async with world(tmp_path) as here:
        registration = await here.begin()
        here.source.say(*lines)
        events = await here.story(registration)
        assert [event.event_type for event in events].count("FAILURE") == 1
        assert (events[-1].event_type, events[-1].message) == ("FAILURE", LiveMessage.BROKEN)
        assert await rows(here, "ada") == (False, False, False)
    assert f"registration failed: {detail}" in caplog.text


async def test_a_stream_that_ends_without_done(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with world(tmp_path) as here:
        registration = await here.begin()
        here.source.say(NAMED)
        here.source.end()
        assert (await here.story(registration))[-1].message == LiveMessage.BROKEN
    assert "the stream ended without done" in caplog.text


async def test_a_bug_in_a_source_ends_one_registration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as here:
        broken = await here.begin("ada")
        here.source.say(ValueError("a bug"))
        assert (await here.story(broken))[-1].message == LiveMessage.BROKEN
        await here.register("grace")
    assert "registration failed" in caplog.text


async def test_the_deadline(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(POLICY, deadline=Duration(50))
    async with world(tmp_path, policy) as here:
        registration = await here.begin()
        here.source.say(StepLine("One"))
        events = await here.story(registration)
        assert (events[-1].event_type, events[-1].message) == ("FAILURE", LiveMessage.TOO_SLOW)
        await here.job(registration).gone.wait()
        assert here.source.open == 0


async def test_a_finished_registration_is_forgotten(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(POLICY, replay=Duration(1))
    async with world(tmp_path, policy) as here:
        registration = await here.begin()
        here.source.say(*STORY)
        await here.story(registration)
        with trio.fail_after(10):
            while here.live.job(registration) is not None:
                await trio.lowlevel.checkpoint()


async def test_only_so_many_run_at_once_and_the_source_is_left_alone(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.begin("ada")
        await here.begin("grace")
        await here.begin("alan")
        asked = here.source.asked
        assert isinstance(await here.sign_in("edsger"), SourceUnavailable)
        assert here.source.asked == asked
        assert await here.begin("ada") == first  # a user whose registration runs finds it
        here.source.say(FailureLine("no"))
        with trio.fail_after(10):
            while here.live.running == 3:
                await trio.lowlevel.checkpoint()
        await here.begin("edsger")


async def test_a_name_that_was_lost_meanwhile_leaves_nothing_behind(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        registration = await here.begin()
        here.source.say(NAMED)
        here.clock.advance(HOUR)  # the reservation has lapsed, although the job still runs
        assert isinstance(await here.add_elsewhere("ada", "x"), int)
        here.source.say(DoneLine())
        assert (await here.story(registration))[-1].message == LiveMessage.NAME_LOST
        assert await rows(here, "ada") == (True, False, True)


async def test_a_store_that_fails_leaves_no_registration_behind(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.store._closed = True
        with pytest.raises(StoreFault):
            await here.live.start(Applicant("ada", Subject("ada"), "hash", HOME))
        here.store._closed = False
        assert here.live.running == 0
        await here.begin("ada")


async def test_two_people_whom_the_source_tells_apart_do_not_share_a_registration(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.source.passwords["ADA"] = "other"
        await here.begin("ada")
        here.source.subjects["ADA"] = "a stranger"
        await here.begin("ADA", "other")
        assert here.live.running == 2


async def test_stopping_fails_what_runs_and_takes_nothing_new(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        registrations = [await here.begin("ada"), await here.begin("grace")]
        await here.live.stop()
        for registration in registrations:
            job = here.job(registration)
            assert job.interrupted
            assert (await here.story(registration))[-1].message == LiveMessage.STOPPING
        assert here.ended == ["failed", "failed"]
        assert isinstance(await here.sign_in("alan"), SourceUnavailable)
        assert await rows(here, "ada") == (False, False, False)


async def test_an_attempt_after_a_crash_finds_its_own_reservation(tmp_path: Path) -> None:
    async with world(tmp_path) as here:

        async def claim(transaction: Transaction) -> bool:
            now = here.clock.now()
            return await transaction.names.claim(NameKey("ada"), "live:ada", after(now, HOUR), now)

        assert await here.store.write(claim)
        await here.register("ada")


async def test_a_flood_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        registration = await here.begin("ada")
        here.source.say(*(StepLine("x") for _ in range(5000)), *STORY)
        turns = 0
        job = here.job(registration)
        while not job.over:
            await trio.lowlevel.checkpoint()
            turns += 1
        assert len(job.history) == 5004
        assert turns > 5004 // LINES_PER_TURN


# --- the time left
async def test_the_time_left_is_learned_and_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        first = await here.begin("ada")
        here.source.say(StepLine("One", 1))
        job = here.job(first)
        assert await job.more(0)
        assert job.eta_seconds(job.history[0]) is None
        here.source.say(*STORY)
        await here.story(first)
        assert job.eta_seconds(job.history[0]) == 0
        second = here.job(await here.begin("grace"))
        here.source.say(StepLine("One", 1))
        assert await second.more(0)
        assert second.eta_seconds(second.history[0]) == 1
    async with world(tmp_path) as here:
        third = here.job(await here.begin("alan"))
        here.source.say(StepLine("One", 1))
        assert await third.more(0)
        assert third.eta_seconds(third.history[0]) == 1


async def test_leaving_ends_what_still_runs(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        registration = await here.begin()
        job = here.job(registration)
    assert job.interrupted
    assert job.over
