"""One signed-up person at full allowance, on a running server: strangers' lists, the disk and the others stay as they are."""

import json
from pathlib import Path
from typing import Any

from tests.system.server import Person, kept_store, listening, local_server, sign_up


async def status(person: Person, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any]:
    answer = await person.call(method, path, body)
    return answer.status_code, answer.json() if answer.content else None


async def test_strangers_fill_nobody_s_list() -> None:
    async with local_server() as (_, client):
        victim, *strangers = [await sign_up(client, name) for name in ("victim", "eve1", "eve2")]
        answers = [
            await status(strangers[number % 2], "/room/create", {"otherUsers": [victim.id]})
            for number in range(55)
        ]
        assert [code for code, _ in answers] == [200] * 50 + [403] * 5
        assert answers[-1][1] == {"error": "InvitationRefused", "refusedUsers": [victim.id]}
        assert len((await victim.get("/room/list"))["rooms"]) == 50


async def test_who_blocks_is_left_alone() -> None:
    async with local_server() as (_, client):
        ann, eve = await sign_up(client, "annabella"), await sign_up(client, "eve")
        assert await status(ann, f"/login/block/{eve.id}") == (204, None)
        refusal = (403, {"error": "InvitationRefused", "refusedUsers": [ann.id]})
        assert await status(eve, "/room/create", {"otherUsers": [ann.id]}) == refusal
        (block,) = (await ann.get("/login/blocks"))["blocks"]
        assert (block["userId"], block["username"]) == (eve.id, "eve")
        assert (await eve.get("/login/blocks"))["blocks"] == []
        assert await status(ann, f"/login/block/{eve.id}", method="DELETE") == (204, None)
        assert (await status(eve, "/room/create", {"otherUsers": [ann.id]}))[0] == 200


async def test_who_is_asked_hears_of_it_and_is_in_by_their_own_word() -> None:
    async with local_server(rooms={"consent": "ask"}) as (server, client):
        ann, bob = await sign_up(client, "annabella"), await sign_up(client, "benedict")
        url = f"{server.socket_url}/room/websocket?token="
        async with listening(url + ann.token) as hers, listening(url + bob.token) as his:
            room = (await ann.post("/room/create", {"name": "Tea", "otherUsers": [bob.id]}))["roomId"]
            assert await his.message() == {
                "type": "RoomInvitation",
                "userWhoInvited": ann.id,
                "roomId": room,
            }
            assert (await bob.get("/room/list"))["rooms"] == []
            assert await status(bob, f"/room/post/{room}", {"content": "x"}) == (401, {"error": "NotInRoom"})
            (offer,) = (await bob.get("/room/offers"))["offers"]
            assert (offer["roomId"], offer["name"], offer["username"]) == (room, "Tea", "annabella")
            await bob.post(f"/room/accept/{room}")
            assert await hers.message() == {
                "type": "NewUsersInRoom",
                "userWhoInvited": ann.id,
                "newUsers": [bob.id],
                "roomId": room,
            }
            await ann.post(f"/room/post/{room}", {"content": "welcome"})
            assert (await his.message())["content"] == "welcome"
        assert await status(bob, f"/room/accept/{room}") == (404, {"error": "RoomNotFound"})


async def test_a_day_is_used_up(tmp_path: Path) -> None:
    store, rooms = kept_store(tmp_path), {"daily_posts": 3, "daily_rooms": 2}
    async with local_server(store=store, rooms=rooms) as (_, client):
        ann, bob = await sign_up(client, "annabella"), await sign_up(client, "benedict")
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        await ann.post("/room/create")
        refused = await ann.call("POST", "/room/create")
        assert (refused.status_code, refused.json()) == (429, {"error": "QuotaExceeded"})
        assert 1 <= int(refused.headers["retry-after"]) <= 86_401
        for _ in range(3):
            await ann.post(f"/room/post/{room}", {"content": "x"})
        assert (await status(ann, f"/room/post/{room}", {"content": "x"}))[0] == 429
        await bob.post(f"/room/post/{room}", {"content": "x"})
    async with local_server(store=store, rooms=rooms) as (_, client):  # a restart forgives nothing
        again = Person(client, ann.id, ann.token)
        assert (await status(again, f"/room/post/{room}", {"content": "x"}))[0] == 429


async def test_a_request_that_names_many_counts_for_many() -> None:
    limits = {"enabled": True, "routes": {"write": "50/1m", "sign_up": "1000/1m"}}
    async with local_server(limits=limits) as (_, client):
        ann, *others = [await sign_up(client, f"person{number}") for number in range(31)]
        everybody = {"otherUsers": [other.id for other in others]}
        first = await ann.call("POST", "/room/create", everybody)
        second = await ann.call("POST", "/room/create", everybody)
        assert (first.status_code, second.status_code) == (200, 429)
        assert json.loads(second.text) == {"error": "TooManyRequests"}
        assert int(second.headers["retry-after"]) >= 1
