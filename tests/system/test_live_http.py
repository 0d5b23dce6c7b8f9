"""Live registration from an operator's service over HTTP, on the started server."""

from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from tests.peer.people_service import DONE, NAME, SCRIPT, Answer, PeopleService, Person, line, steps
from tests.system.live_client import begin, events_of, read, register, served, sign_in, watch
from tests.system.server import listening, run_command, sign_up

NAMES = line(name={"firstName": "Zoë", "middleName": None, "lastName": "Ёлкина", "more": 1})


async def test_a_registration_by_a_service(tmp_path: Path) -> None:
    people = PeopleService(zoe=Person("right", [*steps(3, 0.01), b"\n", NAMES, DONE[:-1]], subject="7"))
    settings = ("live.http.bearer=open-sesame-42",)
    async with people.listen(), served(tmp_path, people, settings) as (server, client):
        events = await register(client, "zoe")
        assert [event["message"] for event in events[:3]] == ["Step 1", "Step 2", "Step 3"]
        assert events[3]["additionalData"] == {
            "firstName": "Zoë",
            "middleName": None,
            "lastName": "Ёлкина",
        }
        assert (await sign_in(client, "zoe")).status_code == 200
        assert [call.path for call in people.calls] == ["/base/verify", "/base/profile"]
        assert {call.headers["authorization"] for call in people.calls} == {"Bearer open-sesame-42"}
        assert "open-sesame-42" not in server.printed


async def test_fifty_first_sign_ins_are_one_profile(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [go, *SCRIPT]))
    async with people.listen(), served(tmp_path, people) as (_, client):
        locations: set[str] = set()

        async def first() -> None:
            locations.add(await begin(client, "ada"))

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(first)
        assert len(locations) == 1
        go.set()
        assert (await watch(locations.pop()))[-1]["eventType"] == "AUTHENTICATION"
        assert (people.count("/base/verify"), people.count("/base/profile")) == (50, 1)


UNABLE = [Answer(500), Answer(503), Answer(403), Answer(200, b"{}"), Answer(200, b"<html>"), Answer(302)]


@pytest.mark.parametrize("answer", [*UNABLE, Answer(pause=30.0)], ids=range(len(UNABLE) + 1))
async def test_a_source_that_cannot_say_is_503(tmp_path: Path, answer: Answer) -> None:
    people = PeopleService(ada=Person("right"))
    settings = ("live.http.timeout=300ms",)
    async with people.listen(), served(tmp_path, people, settings) as (server, client):
        people.answer = answer
        response = await sign_in(client, "ada")
        assert (response.status_code, response.json()) == (503, {"error": "SourceUnavailable"})
        assert int(response.headers["retry-after"]) >= 1
        await server.wait_line(lambda said: "the source cannot check a sign-in" in said["message"])
        people.answer = None
        await register(client, "ada")


async def test_sign_in_while_the_source_is_down(tmp_path: Path) -> None:
    people = PeopleService(ada=Person("right"))
    async with trio.open_nursery() as nursery:
        listening = await nursery.start(_listen, people)
        async with served(tmp_path, people) as (_, client):
            await register(client, "ada")
            people.people["ada"].password = "changed"
            assert (await sign_in(client, "ada", "wrong")).status_code == 401
            assert (await sign_in(client, "ada", "changed")).status_code == 200  # taken over
            people.people["ada"].password = "changed again"
            listening.cancel()
            await trio.testing.wait_all_tasks_blocked()
            assert (await sign_in(client, "ada", "changed")).status_code == 200
            for password in ("changed again", "right", "wrong"):
                response = await sign_in(client, "ada", password)
                assert (response.status_code, response.json()) == (503, {"error": "SourceUnavailable"})
            assert (await sign_in(client, "nobody")).status_code == 503


async def test_a_password_changed_at_the_source_ends_other_sessions_and_their_sockets(tmp_path: Path) -> None:
    people = PeopleService(ada=Person("right"))
    async with people.listen(), served(tmp_path, people) as (server, client):
        token = (await register(client, "ada"))[-1]["additionalData"]["token"]
        async with listening(f"{server.socket_url}/room/websocket?token={token}&since=") as listener:
            assert (await listener.message())["type"] == "Resumed"
            people.people["ada"].password = "changed"
            fresh = (await sign_in(client, "ada", "changed")).json()["token"]
            assert await listener.text() == "BadToken"
            assert await listener.close_code() == 1008
        for used, status in ((token, 401), (fresh, 200)):
            answer = await client.get("/login/info", headers={"authorization": f"Bearer {used}"})
            assert answer.status_code == status


async def _listen(people: PeopleService, *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
    with trio.CancelScope() as scope:
        async with people.listen():
            task_status.started(scope)
            await trio.sleep_forever()


BROKEN: dict[str, Person] = {
    "steps that jump back": Person("right", [*steps(3), line(step=1, message="again"), NAME, DONE]),
    "negative and huge steps": Person(
        "right", [line(step=-7, message="a"), line(step=2**53 - 1, totalSteps=3, message="b"), NAME, DONE]
    ),
    "unknown keys": Person("right", [line(message="a", colour="red"), NAME, DONE]),
    "no numbers": Person("right", [line(message="a"), line(message="b"), NAME, DONE]),
    "strings for integers": Person("right", [line(step="1", message="a"), NAME, DONE]),
    "numbers past JSON": Person("right", [line(step=2**80, message="a"), NAME, DONE]),
    "a line of 5 MB": Person("right", [b'{"message": "', *[b"x" * 65_536] * 80, b'"}\n', NAME, DONE]),
    "no line feed at all": Person("right", [b"x" * 1000, b"y" * 1000]),
    "invalid UTF-8": Person("right", [b'{"message": "\xff\xfe"}\n', NAME, DONE]),
    "no JSON": Person("right", [b"<html>\n", NAME, DONE]),
    "no name": Person("right", [*steps(2), DONE]),
    "two names": Person("right", [NAME, NAME, DONE]),
    "no name in a name": Person("right", [line(name={"middleName": "King"}), DONE]),
    "an end without done": Person("right", [*steps(2), NAME]),
    "a cut stream": Person("right", [*steps(2)], cut=True),
    "a cut line": Person("right", [NAME, b'{"done": tr'], cut=True),
    "an empty stream": Person("right", []),
    "a refusal": Person("right", [], status=500),
    "silence": Person("right", [*steps(1), trio.Event()]),
    "a failure": Person("right", [*steps(1), line(failure="We have no record of you."), NAME, DONE]),
    "something after the end": Person("right", [NAME, DONE, line(message="s3cret"), NAME]),
}
WELL = {
    "steps that jump back",
    "negative and huge steps",
    "unknown keys",
    "no numbers",
    "something after the end",
}
SAYING = {"a failure": "We have no record of you."}


async def test_whatever_the_source_says_is_a_story(tmp_path: Path) -> None:
    """Each as a person of its own on one server, all at once; whoever failed can try again and gets a new story."""
    people = PeopleService(**{f"user{number}": person for number, person in enumerate(BROKEN.values())})
    settings = ("live.http.timeout=1s",)
    async with people.listen(), served(tmp_path, people, settings) as (server, client):

        async def tell(username: str, case: str) -> None:
            location = await begin(client, username)
            events = await watch(location)
            well = events[-1]["eventType"] == "AUTHENTICATION"
            assert well == (case in WELL), (case, events[-1])
            if not well:
                usual = "Registration could not be completed. Please try again later."
                assert events[-1]["message"] == SAYING.get(case, usual), case
                people.people[username] = Person("right")
                assert await begin(client, username) != location
            else:
                assert (await sign_in(client, username)).status_code == 200

        async with trio.open_nursery() as nursery:
            for number, case in enumerate(BROKEN):
                nursery.start_soon(tell, f"user{number}", case)
        assert "s3cret" not in server.printed
        assert "a malformed line: a line of more than 65536 bytes" in server.printed
        assert "nothing came for 1 s" in server.printed
        assert "Traceback" not in server.printed


async def test_a_registration_has_a_deadline(tmp_path: Path) -> None:
    drip: list[Any] = [piece for _ in range(200) for piece in (b"\n", 0.05)]
    people = PeopleService(ada=Person("right", [*steps(1), *drip]))
    async with people.listen(), served(tmp_path, people, ("live.deadline=500ms",)) as (_, client):
        events = await watch(await begin(client, "ada"))
        assert events[-1]["message"] == "Registration took too long. Please try again later."
        with trio.fail_after(10):
            while people.streams:
                await trio.lowlevel.checkpoint()


async def test_admission_is_bounded_before_the_source_is_asked(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [go, *SCRIPT]), grace=Person("right"))
    async with people.listen(), served(tmp_path, people, ("live.max_running=1",)) as (_, client):
        location = await begin(client, "ada")
        asked = people.count("/base/verify")
        full = await sign_in(client, "grace")
        assert (full.status_code, full.json()) == (503, {"error": "SourceUnavailable"})
        assert int(full.headers["retry-after"]) >= 1
        assert people.count("/base/verify") == asked
        assert await begin(client, "ada") == location
        go.set()
        await watch(location)
        await register(client, "grace")


async def test_a_name_is_one_across_doors(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [go, *SCRIPT]), rosa=Person("right", SCRIPT))
    async with people.listen(), served(tmp_path, people) as (_, client):
        location = await begin(client, "ada")
        body = {"username": "ADA", "email": "a@example.org", "password": "long enough"}
        taken = await client.post("/login/register", json=body)
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})
        go.set()
        await watch(location)
        taken = await client.post("/login/register", json=body)
        assert taken.status_code == 409
        await sign_up(client, "rosa")
        # The source knows another rosa, who gets the next free name; each signs in with their own password.
        await watch(await begin(client, "rosa"))
        assert (await client.get("/rosa-2/check")).status_code == 400  # not a name of that door
        assert (await sign_in(client, "rosa-2")).status_code == 200
        assert (await sign_in(client, "rosa", "wrong")).status_code == 401
        assert (await sign_in(client, "rosa", "rosa's long password")).status_code == 200


async def test_events_as_a_stream(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [*steps(2), go, NAME, DONE]))
    async with people.listen(), served(tmp_path, people) as (server, client):
        location = await begin(client, "ada")
        path = "/register/" + location.rpartition("/")[2] + "/events"
        seen: list[str] = []
        headers = {"accept-encoding": "gzip, br"}
        async with client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            assert "content-length" not in response.headers
            assert "content-encoding" not in response.headers
            async for name, value in events_of(response):
                if name == "id":
                    seen.append(value)
                if seen == ["1", "2"]:
                    go.set()
        assert seen == ["1", "2", "3", "4"]
        again = await client.get(path, headers={"last-event-id": "3"})
        assert again.text.count("data: ") == 1
        assert "AUTHENTICATION" in again.text
        assert (await client.get(path, headers={"last-event-id": "4"})).status_code == 204
        assert location.rpartition("/")[2] not in server.printed


async def test_a_shutdown_ends_streams_with_their_story(tmp_path: Path) -> None:
    people = PeopleService(ada=Person("right", [*steps(2), trio.Event()]))
    async with people.listen(), served(tmp_path, people) as (server, client):
        location = await begin(client, "ada")
        path = "/register/" + location.rpartition("/")[2] + "/events"
        said = ""
        async with client.stream("GET", path) as response:
            async for name, value in events_of(response):
                said += value
                if name == "id" and value == "2":
                    server.process.terminate()
        assert "FAILURE" in said
        with trio.fail_after(10):
            assert await server.process.wait() == 0


async def test_the_time_left_is_learned(tmp_path: Path) -> None:
    pace = 0.4
    people = PeopleService(
        ada=Person("right", [*steps(3, pace), NAME, DONE]), bea=Person("right", [*steps(3, pace), NAME, DONE])
    )
    async with people.listen(), served(tmp_path, people) as (_, client):
        await register(client, "ada")
        async with listening(await begin(client, "bea") + "?eta=1") as listener:
            first = await listener.message()
            assert list(first)[-1] == "etaSeconds"
            assert first["etaSeconds"] >= 1
            assert (await read(listener))[-1]["etaSeconds"] == 0


async def test_trying_a_source_by_hand(tmp_path: Path) -> None:
    cases = {
        "well": (Person("right"), 0, "done: the account would be made now"),
        "back": (Person("right", [*steps(2), line(step=1, message="x"), NAME, DONE]), 0, "shown as 2"),
        "garbage": (Person("right", [*steps(1), b"\x1b[2J no\n"]), 1, "not JSON in UTF-8: '\\x1b[2J no'"),
        "cut": (Person("right", [*steps(1)], cut=True), 1, "WRONG  profile: RemoteProtocolError"),
        "silent": (Person("right", [trio.Event()]), 1, "WRONG  nothing came for 0.5 s"),
        "early": (Person("right", [DONE]), 1, "WRONG  done before the name"),
        "unfinished": (Person("right", [NAME]), 1, "WRONG  the stream ended without done"),
        "failing": (Person("right", [line(failure="No record")]), 1, "FAILURE      1/?  No record"),
    }
    people = PeopleService(**{name: case[0] for name, case in cases.items()})
    async with people.listen():
        given = ("live.source=http", f"live.http.url={people.url}", "live.http.timeout=500ms")
        arguments = [word for setting in given for word in ("--set", setting)]
        for name, (_, code, wanted) in cases.items():
            done = await run_command("source", "try", name, *arguments, folder=tmp_path, given=b"right\n")
            assert (done.returncode, wanted in done.stdout.decode()) == (code, True), done
        wrong = await run_command("source", "try", "well", *arguments, folder=tmp_path, given=b"wrong\n")
        assert wrong.returncode == 1
        assert "wrong password" in wrong.stdout.decode()
    down = await run_command("source", "try", "well", *arguments, folder=tmp_path, given=b"right\n")
    assert "WRONG  verify: ConnectError; a sign-in is answered 503" in down.stdout.decode()
