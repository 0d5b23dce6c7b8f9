"""Rooms on the started server: recipients of events, and refusals."""

import httpx
import pytest
import trio
from trio_websocket import ConnectionRejected

from tests.system.server import Person, listening, local_server, sign_up


def room_socket(server_url: str, person: Person) -> str:
    return f"{server_url}/room/websocket?token={person.token}"


async def test_everyone_concerned_hears_every_change() -> None:
    async with local_server() as (server, client):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        async with (
            listening(room_socket(server.socket_url, ann)) as anns,
            listening(room_socket(server.socket_url, bob)) as bobs,
            listening(room_socket(server.socket_url, cid)) as cids,
        ):
            room = (await ann.post("/room/create/", {"name": "Tea", "otherUsers": [bob.id]}))["roomId"]
            assert await bobs.message() == {"type": "RoomCreated", "creatorId": ann.id, "roomId": room}

            await bob.post(f"/room/invite/{room}", {"otherUsers": [cid.id, ann.id, cid.id]})
            assert await cids.message() == {
                "type": "RoomInvitation",
                "userWhoInvited": bob.id,
                "roomId": room,
            }
            assert await anns.message() == {
                "type": "NewUsersInRoom",
                "userWhoInvited": bob.id,
                "newUsers": [cid.id],
                "roomId": room,
            }

            post = (await cid.post(f"/room/post/{room}", {"content": "with milk 🫖"}))["postId"]
            read = (await ann.get(f"/room/read/{post}"))["post"]
            for ears in (anns, bobs):
                assert await ears.message() == {
                    "type": "NewPost",
                    "userId": cid.id,
                    "roomId": room,
                    "postId": post,
                    "content": "with milk 🫖",
                    "createdAt": read["createdAt"],
                }

            await bob.post(f"/room/leave/{room}")
            left = {"type": "UserLeftRoom", "userId": bob.id, "roomId": room, "userDeleted": False}
            assert await anns.message() == left
            assert await cids.message() == left

            assert (await cid.call("DELETE", "/login/delete")).status_code == 204
            assert await cids.close_code() == 1008
            assert await anns.message() == {**left, "userId": cid.id, "userDeleted": True}

            # Nobody heard anything of their own, or twice.
            await ann.post("/room/create", {"otherUsers": [bob.id]})
            assert (await bobs.message())["type"] == "RoomCreated"


async def test_socket_refusals() -> None:
    async with local_server() as (server, client):
        gone = await sign_up(client, "gone")
        await gone.call("DELETE", "/login/delete")
        for query, error in (
            ("", "MissingToken"),
            ("?token=", "MissingToken"),
            ("?token=nonsense", "BadToken"),
            (f"?token={gone.token}", "UserIsDeleted"),
            ("?ticket=nonsense", "BadToken"),
        ):
            async with listening(f"{server.socket_url}/room/websocket{query}") as listener:
                assert await listener.text() == error
                assert await listener.close_code() == 1008
        again = await gone.call("GET", "/login/info")
        assert (again.status_code, again.json()) == (410, {"error": "UserIsDeleted"})


async def test_ticket_and_header_open_the_socket() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        ticket = await ann.post("/login/ticket")
        assert ticket["expiresIn"] == 30
        url = f"{server.socket_url}/room/websocket"
        bearer = (b"Authorization", f"Bearer {ann.token}".encode())
        async with (
            listening(f"{url}?ticket={ticket['ticket']}") as one,
            listening(url, headers=[bearer]) as two,
        ):
            await bob.post("/room/create", {"otherUsers": [ann.id]})
            assert (await one.message())["type"] == "RoomCreated"
            assert (await two.message())["type"] == "RoomCreated"
        async with listening(f"{url}?ticket={ticket['ticket']}") as used:
            assert await used.text() == "BadToken"


async def test_signing_out_ends_the_sockets() -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        async with listening(room_socket(server.socket_url, ann)) as listener:
            assert (await ann.call("DELETE", "/login/token")).status_code == 204
            assert await listener.text() == "BadToken"
            assert await listener.close_code() == 1008
        assert (await ann.call("GET", "/login/info")).status_code == 401


async def test_strangers_origins_are_kept_out() -> None:
    async with local_server(server={"cors_origins": ["https://app.example.org"]}) as (server, client):
        ann = await sign_up(client, "ann")
        url = room_socket(server.socket_url, ann)
        with pytest.RaisesGroup(ConnectionRejected):
            async with listening(url, headers=[(b"Origin", b"https://evil.example")]):
                pass
        async with listening(url, headers=[(b"Origin", b"https://app.example.org")]) as listener:
            await (await sign_up(client, "bob")).post("/room/create", {"otherUsers": [ann.id]})
            assert (await listener.message())["type"] == "RoomCreated"
        preflight = await client.options(
            "/room/create",
            headers={"origin": "https://app.example.org", "access-control-request-method": "POST"},
        )
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == "https://app.example.org"


async def test_fifty_posters_keep_one_order() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with (
            listening(room_socket(server.socket_url, bob)) as first,
            listening(room_socket(server.socket_url, bob)) as second,
        ):
            async with trio.open_nursery() as nursery:
                for number in range(50):
                    nursery.start_soon(ann.post, f"/room/post/{room}", {"content": str(number)})
            heard = [(await first.message())["postId"] for _ in range(50)]
            assert [(await second.message())["postId"] for _ in range(50)] == heard
        page = await bob.get(f"/room/readAll/{room}")
        assert [post["id"] for post in page["posts"]] == heard
        assert page["more"] is False


async def test_token_works_nowhere_after_its_account() -> None:
    async with local_server() as (_, client):
        ann = await sign_up(client, "ann")
        room = (await ann.post("/room/create"))["roomId"]
        await ann.call("DELETE", "/login/delete")
        answer = await ann.call("POST", f"/room/post/{room}", {"content": "x"})
        assert (answer.status_code, answer.json()) == (410, {"error": "UserIsDeleted"})
        login = await client.post("/login", json={"username": "ann", "password": "ann's long password"})
        assert (login.status_code, login.json()["error"]) == (410, "UserIsDeleted")
        assert set(login.json()) == {"error", "restorableUntil"}
        taken = await client.post(
            "/login/register",
            json={"username": "Ann", "email": "x@example.org", "password": "a new password"},
        )
        assert (taken.status_code, taken.json()) == (409, {"error": "UsernameTaken"})


async def test_rest_refusals_in_order() -> None:
    async with local_server() as (_, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create"))["roomId"]

        async def check(response: httpx.Response, status: int, error: str) -> None:
            assert (response.status_code, response.json()["error"]) == (status, error)

        await check(await client.get(f"/room/info/{room}"), 401, "MissingAuth")
        await check(await client.get("/room/list", headers={"authorization": "Basic x"}), 400, "BadAuthType")
        await check(await client.get("/room/list", headers={"authorization": "Bearer x"}), 401, "BadToken")
        await check(await client.post(f"/room/post/{room}", json={"content": ""}), 400, "BadPostContent")
        await check(await bob.call("GET", "/room/info/0"), 400, "BadId")
        await check(await bob.call("GET", "/room/info/999"), 404, "RoomNotFound")
        await check(await bob.call("GET", f"/room/info/{room}"), 401, "NotInRoom")
        await check(await ann.call("POST", f"/room/invite/{room}", {}), 400, "BadOtherUsers")
        await check(await ann.call("POST", f"/room/invite/{room}", {"otherUsers": ["x"]}), 400, "BadId")
        missing = await ann.call("POST", "/room/create", {"otherUsers": [bob.id, 777]})
        await check(missing, 404, "AccountNotFound")
        assert missing.json()["missingUsers"] == [777]
        await check(await ann.call("POST", "/room/create", {"name": " "}), 400, "BadRoomName")
        await check(await ann.call("GET", "/room/read/99"), 404, "PostNotFound")
        await check(await ann.call("GET", "/nowhere"), 404, "RouteNotFound")
        await check(await ann.call("DELETE", "/room/list"), 404, "RouteNotFound")
