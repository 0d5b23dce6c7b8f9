"""What the owner of a room may do, what others hear of it, and finding posts, members and people."""

from tests.system.server import listening, local_server, sign_up
from tests.system.test_room_socket import socket_url


async def test_the_owner_renames_and_removes_and_leaves_the_room_to_the_next() -> None:
    async with local_server() as (server, client):
        cid, ann, bob = [await sign_up(client, name) for name in ("cid", "ann", "bob")]
        room = (await ann.post("/room/create", {"name": "Tea", "otherUsers": [cid.id, bob.id]}))["roomId"]
        assert (await bob.get(f"/room/members/{room}")) == {
            "owner": ann.id,  # though others joined in the same event, with lower numbers
            "users": [
                {"userId": one.id, "username": name}
                for one, name in ((cid, "cid"), (ann, "ann"), (bob, "bob"))
            ],
            "more": False,
        }
        for path, body in (("rename", {"name": "Mine"}), ("kick", {"userId": cid.id})):
            refused = await bob.call("POST", f"/room/{path}/{room}", body)
            assert (refused.status_code, refused.json()) == (403, {"error": "NotRoomOwner"})
        async with (
            listening(socket_url(server, bob)) as old,
            listening(socket_url(server, bob, "&edits=true")) as new,
            listening(socket_url(server, cid, "&since=")) as removed,
            listening(socket_url(server, ann)) as own,
            listening(socket_url(server, ann, "&edits=true&echo=true")) as echo,
        ):
            start = (await removed.message())["cursor"]
            assert await ann.post(f"/room/rename/{room}", {"name": "Coffee"}) is None
            assert await ann.post(f"/room/rename/{room}", {"name": "Coffee"}) is None  # tells nobody twice
            assert await ann.post(f"/room/kick/{room}", {"userId": cid.id}) is None
            assert (await ann.call("POST", f"/room/kick/{room}", {"userId": cid.id})).json()[
                "error"
            ] == "AccountNotFound"
            assert (await ann.call("POST", f"/room/kick/{room}", {"userId": ann.id})).json() == {
                "error": "BadId"
            }
            await bob.post(f"/room/post/{room}", {"content": "bye"})
            renamed = {"type": "RoomRenamed", "userId": ann.id, "roomId": room, "name": "Coffee"}
            left = {"type": "UserLeftRoom", "userId": cid.id, "roomId": room, "userDeleted": False}
            assert await old.message() == left
            assert [await new.message() for _ in range(2)] == [renamed, left]
            assert [await echo.message() for _ in range(2)] == [renamed, left]
            assert (await own.message())["type"] == "NewPost"
            assert {**await removed.message(), "cursor": ""} == {**left, "cursor": ""}
        async with listening(socket_url(server, cid, f"&since={start}")) as later:
            assert (await later.message())["missed"] == 1
            assert (await later.message())["type"] == "UserLeftRoom"
        assert (await cid.call("GET", f"/room/members/{room}")).json() == {"error": "NotInRoom"}
        await ann.post(f"/room/leave/{room}")
        assert (await bob.get(f"/room/members/{room}"))["owner"] == bob.id
        await bob.post(f"/room/rename/{room}", {"name": "Bob's"})
        assert (await bob.get("/room/list"))["rooms"][0]["name"] == "Bob's"


async def test_members_come_in_pages() -> None:
    async with local_server() as (_, client):
        people = [await sign_up(client, f"person{number}") for number in range(5)]
        room = (await people[0].post("/room/create", {"otherUsers": [one.id for one in people[1:]]}))[
            "roomId"
        ]
        page = await people[0].get(f"/room/members/{room}?limit=3")
        assert ([one["userId"] for one in page["users"]], page["more"]) == (
            [one.id for one in people[:3]],
            True,
        )
        page = await people[0].get(f"/room/members/{room}?limit=3&after={people[2].id}")
        assert ([one["userId"] for one in page["users"]], page["more"]) == (
            [one.id for one in people[3:]],
            False,
        )


async def test_a_search_finds_without_case_in_every_script_and_goes_on_where_it_ended() -> None:
    async with local_server() as (_, client):
        ann, eve = [await sign_up(client, name) for name in ("ann", "eve")]
        room = (await ann.post("/room/create", {}))["roomId"]
        texts = [
            "Чай готов",
            "tea 100%",
            "STRASSE",
            "un_der",
            "Straße",
            "чайник",
            *(f"cup {n}" for n in range(60)),
        ]
        posts = [(await ann.post(f"/room/post/{room}", {"content": text}))["postId"] for text in texts]

        async def found(text: str, more: str = "") -> list[str]:
            answer = await ann.get(f"/room/search/{room}?q={text}{more}")
            return [post["content"] for post in answer["posts"]]

        assert await found("ЧАЙ") == ["Чай готов", "чайник"]
        assert await found("strasse") == ["STRASSE", "Straße"]
        assert await found("%25") == ["tea 100%"]
        assert await found("_") == ["un_der"]
        assert await found("nothing") == []
        first = await ann.get(f"/room/search/{room}?q=cup")
        assert [post["id"] for post in first["posts"]] == posts[-50:]
        rest = await ann.get(f"/room/search/{room}?q=cup&before={first['next']}")
        assert [post["id"] for post in rest["posts"]] == posts[6:16]
        assert "next" not in rest
        for query, error in (
            ("", "BadSearch"),
            ("?q=+", "BadSearch"),
            (f"?q={'x' * 201}", "BadSearch"),
            ("?q=x&before=x", "BadId"),
        ):
            assert (await ann.call("GET", f"/room/search/{room}{query}")).json() == {"error": error}
        assert (await eve.call("GET", f"/room/search/{room}?q=cup")).json() == {"error": "NotInRoom"}


async def test_people_are_suggested_as_far_as_the_operator_allows() -> None:
    for suggest, names in (("off", []), ("rooms", ["Anton"]), ("all", ["anna", "Anton"])):
        async with local_server(rooms={"suggest": suggest}) as (_, client):
            asker, anton, anna, _ = [await sign_up(client, name) for name in ("andy", "Anton", "anna", "bob")]
            await asker.post("/room/create", {"otherUsers": [anton.id]})
            people = (await asker.get("/room/people?q=AN"))["people"]
            assert [person["username"] for person in people] == names
            assert (await asker.call("GET", "/room/people?q=")).json() == {"error": "BadSearch"}
            await anna.call("DELETE", "/login/delete")
            assert all(one["username"] != "anna" for one in (await asker.get("/room/people?q=an"))["people"])


async def test_the_read_position_is_told_to_ones_own_sockets_that_ask() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with (
            listening(socket_url(server, bob, "&seen=true")) as plain,
            listening(socket_url(server, bob, "&seen=true&since=")) as resumed,
            listening(socket_url(server, bob)) as old,
            listening(socket_url(server, ann, "&seen=true")) as other,
        ):
            assert (await resumed.message())["type"] == "Resumed"
            post = (await ann.post(f"/room/post/{room}", {"content": "x"}))["postId"]
            await bob.post(f"/room/seen/{room}", {"postId": post})
            await bob.post(
                f"/room/seen/{room}", {"postId": post}
            )  # as a device that was slow: nothing moves, and nothing is told
            last = (await bob.post(f"/room/post/{room}", {"content": "y"}))["postId"]
            assert (await plain.message())["type"] == (await resumed.message())["type"] == "NewPost"
            newest = (await ann.post(f"/room/post/{room}", {"content": "z"}))["postId"]
            for listener in (plain, resumed):
                assert await listener.message() == {"type": "Seen", "roomId": room, "postId": post}
                assert (await listener.message())["postId"] == newest
            for marked in (newest, post):
                await bob.post(f"/room/seen/{room}", {"postId": marked})
            await ann.post(f"/room/post/{room}", {"content": "last"})
            for listener in (plain, resumed):
                assert await listener.message() == {"type": "Seen", "roomId": room, "postId": newest}
                assert (await listener.message())["content"] == "last"
            assert [(await old.message())["content"] for _ in range(2)] == ["x", "z"]
            assert (await other.message())["postId"] == last
