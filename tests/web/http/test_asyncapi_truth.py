"""The AsyncAPI document against the app: every message that a socket names is heard, and no other."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import trio

from regserver.app import App
from regserver.app.asgi import quart_app
from regserver.config.setting import LoginSection, RoomsSection, SignupSection
from regserver.endpoint import CloseCode
from tests.web.http.test_document_truth import PEOPLE, opened
from tests.web.http_client import until_accepted
from tests.web.provocation import Asked, Person, Stage

SLOW = '[[user]]\nusername = "slow"\npassword = "right"\nfirst_name = "A"\nlast_name = "B"\ndelay = "1m"\nsteps = ["One"]\n'


class Heard:
    """What sockets have said so far, by the names that the document has for it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.names: set[str] = set()

    def take(self, channel: str, frames: Iterable[str]) -> None:
        """Every frame is one of the messages of its channel."""
        messages = self._document["channels"][channel]["messages"]
        for frame in frames:
            fitting = [name for name in messages if self._fits(frame, name)]
            assert len(fitting) == 1, (frame, fitting)
            self.names.add(fitting[0])

    def _fits(self, frame: str, name: str) -> bool:
        message = self._document["components"]["messages"][name]
        value = frame if message.get("contentType") == "text/plain" else _decoded(frame)
        schema = {**message["payload"], "components": self._document["components"]}
        return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def _decoded(frame: str) -> Any:
    try:
        return json.loads(frame)
    except ValueError:
        return None


async def listen(app: App, path: str, count: int, **headers: str) -> list[str]:
    """The first frames of a socket."""
    with trio.fail_after(10):
        async with quart_app(app).test_client().websocket(path, headers=headers) as socket:
            return [str(await socket.receive()) for _ in range(count)]


async def test_every_message_that_the_document_names_is_heard(tmp_path: Path) -> None:
    rooms = RoomsSection(max_sockets=1)
    async with opened(tmp_path, people=PEOPLE + SLOW, rooms=rooms) as (app, stage):
        document = await stage.ask_json(Asked(method="GET", path="/asyncapi.json"))
        heard = Heard(document)
        await hear_refusals(heard, app, stage)
        await hear_rooms(heard, app, stage)
        await hear_presence(heard, app, stage)
        await hear_registrations(heard, app, stage)
    (tmp_path / "strict").mkdir()
    async with opened(tmp_path / "strict", login=LoginSection(verify_email="require")) as (app, stage):
        token = (await stage.person()).token
        heard.take("rooms", await listen(app, f"/room/websocket?token={token}", 1))
    (tmp_path / "waits").mkdir()
    async with opened(tmp_path / "waits", signup=SignupSection(mode="approve")) as (app, stage):
        token = (await stage.person()).token
        heard.take("rooms", await listen(app, f"/room/websocket?token={token}", 1))
    assert heard.names == set(document["components"]["messages"])


async def hear_refusals(heard: Heard, app: App, stage: Stage) -> None:
    path, gone, here = "/room/websocket", await stage.person(), await stage.person()
    await stage.delete(gone)
    for query, fields in (
        ("", {}),
        ("", {"authorization": "Basic eA=="}),
        ("?token=nobody", {}),
        (f"?token={gone.token}", {}),
        (f"?token={here.token}&since=x", {}),
    ):
        heard.take("rooms", await listen(app, path + query, 1, **fields))
    async with quart_app(app).test_client().websocket(f"{path}?token={here.token}&since=") as socket:
        await socket.receive()
        heard.take("rooms", await listen(app, f"{path}?token={here.token}", 1))


async def hear_rooms(heard: Heard, app: App, stage: Stage) -> None:
    """Everything happens before the socket opens: what was missed is what was heard."""
    ann, bob, cid = [await stage.person() for _ in range(3)]
    (first,) = await listen(app, f"/room/websocket?token={bob.token}&since=", 1)
    cursor = json.loads(first)["cursor"]

    async def act(who: Person, path: str, body: Any) -> Any:
        return await stage.ask_json(Asked(method="POST", path=path, body=body, by=who.token))

    room = (await act(ann, "/room/create", {"otherUsers": [bob.id]}))["roomId"]
    post = (await act(ann, f"/room/post/{room}", {"content": "Tea?"}))["postId"]
    await act(ann, f"/room/edit/{post}", {"content": "Tea!"})
    gone = (await act(ann, f"/room/post/{room}", {"content": "x"}))["postId"]
    await act(ann, f"/room/delete/{gone}", {})
    await act(ann, f"/room/invite/{room}", {"otherUsers": [cid.id]})
    await act(cid, f"/room/leave/{room}", {})
    await act(ann, f"/room/rename/{room}", {"name": "Coffee"})
    other = await stage.room(ann)
    await act(ann, f"/room/invite/{other}", {"otherUsers": [bob.id]})
    frames = await listen(app, f"/room/websocket?token={bob.token}&since={cursor}&edits=true", 9)
    heard.take("rooms", [first, *frames])


async def hear_presence(heard: Heard, app: App, stage: Stage) -> None:
    """One is there when the other comes, and is typing."""
    ann, bob = await stage.person(), await stage.person()
    body = {"otherUsers": [bob.id]}
    room = (await stage.ask_json(Asked(method="POST", path="/room/create", body=body, by=ann.token)))[
        "roomId"
    ]
    path = "/room/websocket?presence=true&token="
    async with quart_app(app).test_client().websocket(path + ann.token) as socket:
        await until_accepted(socket)
        with trio.fail_after(10):
            heard.take("rooms", await listen(app, path + bob.token, 1))
            heard.take("rooms", [str(await socket.receive())])
            await stage.ask_json(Asked(method="POST", path=f"/room/typing/{room}", by=bob.token))
            heard.take("rooms", [str(await socket.receive())])
    post = {"postId": await stage.post(ann, room)}
    path = f"/room/websocket?seen=true&token={bob.token}"
    async with quart_app(app).test_client().websocket(path) as socket:
        await until_accepted(socket)
        with trio.fail_after(10):
            await stage.ask_json(Asked(method="POST", path=f"/room/seen/{room}", body=post, by=bob.token))
            heard.take("rooms", [str(await socket.receive())])


async def hear_registrations(heard: Heard, app: App, stage: Stage) -> None:
    """One that succeeds, and one that the end of the server interrupts."""

    async def begin(name: str) -> str:
        asked = Asked(method="POST", path="/login", body={"username": name, "password": "right"})
        location = json.loads((await stage.ask(asked)).body)["location"]
        return f"/register/{location.rpartition('/')[2]}?eta=1"

    heard.take("live", await listen(app, await begin(stage.registrable()), 3))
    slow = await begin("slow")
    for stop in app.whole.stop:
        await stop()
    heard.take("live", await listen(app, slow, 1))


async def test_the_document_has_every_close_code_that_is_sent(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, stage):
        document = await stage.ask_json(Asked(method="GET", path="/asyncapi.json"))
    sent = {str(int(code)) for code in CloseCode} - {"1005", "1006"}
    assert set(document["x-close-codes"]) == sent
    assert document["x-close-codes"]["1013"]["reconnect"] is True
