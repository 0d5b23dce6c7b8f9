"""Requests that arrive at the same moment on a running server: one wins, the others hear why, and nothing is left in between."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import trio

from tests.system.server import Message, listening, local_server, open_server, sign_up
from tests.system.steps_client import StepsClient

Answer = TypeVar("Answer")
TIMES = 40
PHONE = "+380501112233"


async def at_once(ask: Callable[[int], Awaitable[Answer]], times: int = TIMES) -> list[Answer]:
    """What so many get who ask at the same moment."""
    answers = []

    async def one(number: int) -> None:
        answers.append(await ask(number))

    async with trio.open_nursery() as nursery:
        for number in range(times):
            nursery.start_soon(one, number)
    return answers


async def test_a_name_is_one_person_s_whatever_the_door_and_spelling() -> None:
    async with local_server() as (_, client):

        async def register(number: int) -> int:
            name = "".join(c.upper() if number >> i & 1 else c for i, c in enumerate("rosalind"))
            body = {"username": name, "email": f"r{number}@example.org", "password": "a long password"}
            return (await client.post("/login/register", json=body)).status_code

        assert Counter(await at_once(register)) == {201: 1, 409: TIMES - 1}


async def test_one_message_is_sent_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        steps = StepsClient(client)
        asked = {"phone": PHONE, "captcha": "", "captchaType": "web"}
        replies = await at_once(lambda number: steps.reply("firstStep", **asked))
        codes = Counter(reply["error"]["code"] if "error" in reply else "sent" for reply in replies)
        assert codes == {"sent": 1, 1102: TIMES - 1}
        sent = await server.wait_lines(lambda line: line.get("logger") == "regserver.sms", 1)
        assert len(sent) == 1


async def test_who_is_deleted_amid_their_requests_has_left_everything() -> None:
    async with local_server() as (_, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]

        async def act(number: int) -> httpx.Response:
            match number % 4:
                case 0:
                    return await ann.call("POST", f"/room/post/{room}", {"content": f"{number}"})
                case 1:
                    return await ann.call("POST", "/room/create", {"otherUsers": [bob.id]})
                case 2:
                    return await ann.call("GET", "/login/info")
                case _:
                    return await ann.call(
                        "DELETE" if number == 31 else "GET", "/login/delete" if number == 31 else "/room/list"
                    )

        answers = await at_once(act, 68)
        assert {answer.status_code for answer in answers} <= {200, 204, 410}
        posted = sum("postId" in answer.text for answer in answers if answer.status_code == 200)
        assert (await ann.call("POST", f"/room/post/{room}", {"content": "x"})).status_code == 410
        assert len((await bob.get(f"/room/readAll/{room}"))["posts"]) == posted
        for entry in (await bob.get("/room/list"))["rooms"]:
            assert entry["users"] == [bob.id]


async def test_a_member_leaves_and_is_invited_at_the_same_moment() -> None:
    """What everybody was told is what is so in the end."""
    async with local_server() as (server, client):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, cid.id]}))["roomId"]

        async def act(number: int) -> int:
            who, what = (ann, "invite") if number % 2 else (bob, "leave")
            body = {"otherUsers": [bob.id]} if what == "invite" else None
            return (await who.call("POST", f"/room/{what}/{room}", body)).status_code

        async with listening(f"{server.socket_url}/room/websocket?token={cid.token}&since=") as listener:
            assert (await listener.message())["type"] == "Resumed"
            answers = await at_once(act)
            assert set(answers) <= {204, 401}
            await bob.post("/room/create", {"otherUsers": [cid.id]})  # an event behind all others
            heard: list[Message] = []
            while not heard or heard[-1]["type"] != "RoomCreated":
                heard.append(await listener.message())
        changes = [frame["type"] for frame in heard[:-1]]
        assert changes == ["UserLeftRoom", "NewUsersInRoom"] * (len(changes) // 2) + ["UserLeftRoom"] * (
            len(changes) % 2
        )
        is_in = len(changes) % 2 == 0
        users = (await ann.get(f"/room/info/{room}"))["room"]["users"]
        assert set(users) == {ann.id, cid.id} | ({bob.id} if is_in else set())
        assert (await bob.call("GET", f"/room/info/{room}")).status_code == (200 if is_in else 401)
