"""Who may do what in a room: nobody who is not in it, nobody who has left it, nobody with another's cursor, key or token."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest
from trio_websocket import ConnectionClosed

from tests.system.server import AnyServer, Person, listening, local_server, sign_up


class Stage(NamedTuple):
    """Ann is in a room with a post, Bob has left it, Eve was never in it."""

    server: AnyServer
    client: httpx.AsyncClient
    ann: Person
    bob: Person
    eve: Person
    room: int
    post: int


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with local_server() as (server, client):
        ann, bob, eve = [await sign_up(client, name) for name in ("ann", "bob", "eve")]
        room = (await ann.post("/room/create", {"name": "Tea", "otherUsers": [bob.id]}))["roomId"]
        post = (await ann.post(f"/room/post/{room}", {"content": "a secret"}))["postId"]
        await bob.post(f"/room/leave/{room}")
        yield Stage(server, client, ann, bob, eve, room, post)


def calls(stage: Stage) -> tuple[tuple[str, str, object], ...]:
    """Every route that has to do with the room or its post."""
    room, post = stage.room, stage.post
    return (
        ("GET", f"/room/info/{room}", None),
        ("GET", f"/room/info/{room}?getLastPost=true", None),
        ("GET", f"/room/readAll/{room}", None),
        ("GET", f"/room/read/{post}", None),
        ("POST", f"/room/post/{room}", {"content": "x"}),
        ("POST", f"/room/invite/{room}", {"otherUsers": [stage.eve.id]}),
        ("POST", f"/room/leave/{room}", None),
        ("POST", f"/room/seen/{room}", {"postId": post}),
        ("POST", f"/room/typing/{room}", None),
    )


async def test_a_stranger_and_somebody_who_left_get_nothing_of_a_room(stage: Stage) -> None:
    for person in (stage.eve, stage.bob):
        for method, path, body in calls(stage):
            response = await person.call(method, path, body)
            assert (response.status_code, response.json()) == (401, {"error": "NotInRoom"}), path
        assert (await person.get("/room/list"))["rooms"] == []
    assert (await stage.ann.get(f"/room/info/{stage.room}"))["room"]["users"] == [stage.ann.id]


async def test_a_deleted_person_gets_nothing_at_all(stage: Stage) -> None:
    await stage.ann.call("DELETE", "/login/delete")
    for method, path, body in calls(stage):
        response = await stage.ann.call(method, path, body)
        assert (response.status_code, response.json()) == (410, {"error": "UserIsDeleted"}), path


async def test_a_post_of_another_room_is_no_post_of_this_one(stage: Stage) -> None:
    """An id in a body is looked up in the room of the path."""
    own = (await stage.eve.post("/room/create", {"name": "Mine"}))["roomId"]
    theirs = await stage.eve.call("POST", f"/room/seen/{own}", {"postId": stage.post})
    absent = await stage.eve.call("POST", f"/room/seen/{own}", {"postId": 2**50})
    assert (theirs.status_code, theirs.json()) == (404, {"error": "PostNotFound"})
    assert (absent.status_code, absent.json()) == (theirs.status_code, theirs.json())
    page = await stage.eve.get(f"/room/readAll/{own}?before={stage.post}")
    assert page["posts"] == []


async def test_a_key_of_one_person_has_no_answer_for_another(stage: Stage) -> None:
    fields = {"idempotency-key": "shared", "authorization": f"Bearer {stage.ann.token}"}
    path, body = f"/room/post/{stage.room}", {"content": "again"}
    first = await stage.client.post(path, json=body, headers=fields)
    assert first.status_code == 200
    for person in (stage.eve, stage.bob):
        again = await stage.client.post(
            path, json=body, headers={**fields, "authorization": f"Bearer {person.token}"}
        )
        assert (again.status_code, again.json()) == (401, {"error": "NotInRoom"})


async def cursor_of(stage: Stage, person: Person) -> str:
    async with listening(f"{stage.server.socket_url}/room/websocket?token={person.token}&since=") as listener:
        return str((await listener.message())["cursor"])


async def test_a_cursor_gives_nobody_what_they_may_not_see(stage: Stage) -> None:
    """It says from where, not what: neither to one who left, nor to one who has found another's."""
    cursors = {await cursor_of(stage, person) for person in (stage.ann, stage.bob)}
    await stage.ann.post(f"/room/post/{stage.room}", {"content": "another secret"})
    for person in (stage.bob, stage.eve):
        for cursor in cursors:
            url = f"{stage.server.socket_url}/room/websocket?token={person.token}&since={cursor}"
            async with listening(url) as listener:
                first = await listener.message()
                assert (first["type"], first["recovered"], first["missed"]) == ("Resumed", True, 0)
                await person.post("/room/create", {"name": "Own"})
                other = (await stage.ann.post("/room/create", {"otherUsers": [person.id]}))["roomId"]
                assert (await listener.message())["roomId"] == other


async def test_a_forged_cursor_is_refused(stage: Stage) -> None:
    whole = await cursor_of(stage, stage.ann)
    flipped = whole[:-1] + ("A" if whole[-1] != "A" else "B")
    for cursor in (whole[:-1], whole[1:], flipped, whole + "A", "1", "A" * len(whole), whole.swapcase()):
        url = f"{stage.server.socket_url}/room/websocket?token={stage.ann.token}&since={cursor}"
        async with listening(url) as listener:
            assert await listener.text() == "BadCursor"
            with pytest.raises(ConnectionClosed):
                await listener.text()
