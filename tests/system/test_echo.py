"""`echo=true`: a person's other devices hear what the person does."""

from tests.system.server import AnyServer, Person, listening, local_server, sign_up
from tests.system.test_room_socket import socket_url


async def test_other_devices_hear_what_one_does() -> None:
    async with local_server() as (server, client):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        async with (
            listening(socket_url(server, ann, "&echo=true")) as plain,
            listening(socket_url(server, ann, "&since=&echo")) as resumable,
            listening(socket_url(server, ann)) as deaf,
        ):
            start = (await resumable.message())["cursor"]
            room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
            post = (await ann.post(f"/room/post/{room}", {"content": "from here"}))["postId"]
            await ann.post(f"/room/invite/{room}", {"otherUsers": [cid.id]})
            await bob.post(f"/room/post/{room}", {"content": "from there"})
            await ann.post(f"/room/leave/{room}")
            expected = [
                {"type": "RoomCreated", "creatorId": ann.id, "roomId": room},
                {"type": "NewPost", "userId": ann.id, "roomId": room, "postId": post, "content": "from here"},
                {"type": "NewUsersInRoom", "userWhoInvited": ann.id, "newUsers": [cid.id], "roomId": room},
                {"type": "NewPost", "userId": bob.id, "roomId": room, "content": "from there"},
                {"type": "UserLeftRoom", "userId": ann.id, "roomId": room, "userDeleted": False},
            ]
            for listener in (plain, resumable):
                for frame in expected:
                    heard = await listener.message()
                    assert {key: heard[key] for key in frame} == frame
            assert (await deaf.message())["content"] == "from there"
        await check_recovery(server, ann, start, len(expected))


async def check_recovery(server: AnyServer, ann: Person, start: str, missed: int) -> None:
    """The same again from the log, and without echo the one post of somebody else."""
    for more, count in (("&echo=true", missed), ("", 1)):
        async with listening(socket_url(server, ann, f"&since={start}{more}")) as listener:
            resumed = await listener.message()
            assert (resumed["recovered"], resumed["missed"]) == (True, count)
            for _ in range(count):
                assert (await listener.message())["cursor"]


async def test_an_offer_is_not_counted_among_what_was_missed() -> None:
    async with local_server(rooms={"consent": "ask"}) as (server, client):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        await bob.post(f"/room/accept/{room}")
        async with listening(socket_url(server, bob, "&since=")) as listener:
            start = (await listener.message())["cursor"]
        await ann.post(f"/room/invite/{room}", {"otherUsers": [cid.id]})
        await ann.post(f"/room/post/{room}", {"content": "the one frame"})
        async with listening(socket_url(server, bob, f"&since={start}")) as listener:
            assert (await listener.message())["missed"] == 1
            assert (await listener.message())["content"] == "the one frame"
