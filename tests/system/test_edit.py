"""Editing and deleting posts: who hears of it, what history shows, and what clients of before recover."""

from tests.system.server import AnyServer, Person, listening, local_server, sign_up
from tests.system.test_room_socket import socket_url
from tests.system.test_stream import streaming


async def test_an_edit_is_heard_by_those_who_ask() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with (
            listening(socket_url(server, bob, "&since=")) as old,
            listening(socket_url(server, bob, "&since=&edits=true")) as new,
            listening(socket_url(server, bob, "&edits=true")) as plain,
            listening(socket_url(server, ann, "&edits=true&echo=true")) as own,
            streaming(server, bob, query="?edits=true") as stream,
        ):
            start = (await old.message())["cursor"]
            assert (await new.message())["type"] == "Resumed"
            assert (await stream.data())["type"] == "Resumed"
            first = (await ann.post(f"/room/post/{room}", {"content": "Helo"}))["postId"]
            second = (await ann.post(f"/room/post/{room}", {"content": "a secret"}))["postId"]
            assert await ann.post(f"/room/edit/{first}", {"content": "Hello"}) is None
            assert await ann.post(f"/room/edit/{first}", {"content": "Hello!"}) is None
            assert await ann.post(f"/room/delete/{second}") is None
            last = (await ann.post(f"/room/post/{room}", {"content": "bye"}))["postId"]
            kinds = ["NewPost", "NewPost", "PostEdited", "PostEdited", "PostDeleted", "NewPost"]
            for listener in (new, plain, own):
                heard = [await listener.message() for _ in kinds]
                assert [frame["type"] for frame in heard] == kinds
                assert [frame.get("content") for frame in heard] == [
                    "Helo",
                    "a secret",
                    "Hello",
                    "Hello!",
                    None,
                    "bye",
                ]
                edit = {key: heard[3][key] for key in ("userId", "roomId", "postId", "content")}
                assert edit == {"userId": ann.id, "roomId": room, "postId": first, "content": "Hello!"}
                assert heard[4]["postId"] == second
            assert [(await stream.data())["type"] for _ in kinds] == kinds
            assert [(await old.message())["postId"] for _ in range(3)] == [first, second, last]
        await check_past(server, bob, room, start)


async def check_past(server: AnyServer, person: Person, room: int, start: str) -> None:
    """Without `edits` a post is recovered as it was, or not at all; with them what became of it follows."""
    async with listening(socket_url(server, person, f"&since={start}")) as old:
        assert (await old.message())["missed"] == 2
        assert [(await old.message())["content"] for _ in range(2)] == ["Helo", "bye"]
    async with listening(socket_url(server, person, f"&since={start}&edits=true")) as new:
        assert (await new.message())["missed"] == 5
        heard = [await new.message() for _ in range(5)]
        assert [(frame["type"], frame.get("content")) for frame in heard] == [
            ("NewPost", "Helo"),
            ("PostEdited", "Hello!"),
            ("PostEdited", "Hello!"),
            ("PostDeleted", None),
            ("NewPost", "bye"),
        ]
    posts = (await person.get(f"/room/readAll/{room}"))["posts"]
    assert [(post["content"], "edited" in post) for post in posts] == [("Hello!", True), ("bye", False)]
    assert "edited" in (await person.get(f"/room/read/{posts[0]['id']}"))["post"]
    assert (await person.call("GET", f"/room/read/{posts[0]['id'] + 1}")).json() == {"error": "PostNotFound"}


async def test_only_ones_own_posts_in_rooms_that_one_is_in() -> None:
    async with local_server() as (_, client):
        ann, bob, eve = [await sign_up(client, name) for name in ("ann", "bob", "eve")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        post = (await ann.post(f"/room/post/{room}", {"content": "mine"}))["postId"]
        for path, body in ((f"/room/edit/{post}", {"content": "theirs"}), (f"/room/delete/{post}", None)):
            for person, error in ((bob, "NotYourPost"), (eve, "NotInRoom")):
                assert (await person.call("POST", path, body)).json() == {"error": error}
            assert (await ann.call("POST", path.replace(str(post), "999"), body)).json() == {
                "error": "PostNotFound"
            }
            assert (await ann.call("POST", path.replace(str(post), "x"), body)).json() == {"error": "BadId"}
        assert (await ann.call("POST", f"/room/edit/{post}", {"content": " "})).json() == {
            "error": "BadPostContent"
        }
        await ann.post(f"/room/leave/{room}")
        assert (await ann.call("POST", f"/room/delete/{post}")).json() == {"error": "NotInRoom"}
        posts = (await bob.get(f"/room/readAll/{room}"))["posts"]
        assert [one["content"] for one in posts] == ["mine"]


async def test_deleted_posts_are_not_counted_and_leave_their_neighbours() -> None:
    async with local_server() as (_, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        posts = [(await ann.post(f"/room/post/{room}", {"content": str(n)}))["postId"] for n in range(5)]
        await bob.post(f"/room/seen/{room}", {"postId": posts[2]})

        async def shown() -> tuple[int, str]:
            (found,) = (await bob.get("/room/list"))["rooms"]
            return found["unread"], found["lastPost"]["content"]

        assert await shown() == (2, "4")
        await ann.post(f"/room/delete/{posts[2]}")  # at which the mark stands
        await ann.post(f"/room/delete/{posts[4]}")
        assert await shown() == (1, "3")
        await bob.post(f"/room/seen/{room}", {"postId": posts[3]})
        assert await shown() == (0, "3")
        await ann.post(f"/room/post/{room}", {"content": "new"})
        assert await shown() == (1, "new")
