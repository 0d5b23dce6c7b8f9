"""One account's WebSockets are bounded, and so is how many clients catch up at once when all return."""

from pathlib import Path

import pytest
import trio

from regserver.config.setting import RoomsSection
from regserver.service.recovery_service import CATCH_UPS, LogReader, Page
from tests.system.server import listening, local_server, sign_up
from tests.web.http.test_asyncapi_truth import listen
from tests.web.http.test_document_truth import opened
from tests.web.provocation import Asked


async def test_one_account_has_so_many_sockets() -> None:
    async with local_server(rooms={"max_sockets": 2}) as (server, client):
        ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
        url = f"{server.socket_url}/room/websocket?since=&token="
        async with listening(url + ann.token) as first:
            await first.message()
            async with listening(url + ann.token) as second, listening(url + ann.token) as third:
                await second.message()
                assert (await third.text(), await third.close_code()) == ("TooManySockets", 1013)
                async with listening(url + bob.token) as other:
                    assert (await other.message())["type"] == "Resumed"
            with trio.fail_after(10):
                while True:  # the server notices that the second has gone
                    async with listening(url + ann.token) as again:
                        if await again.text() != "TooManySockets":
                            break


async def test_clients_that_return_at_once_catch_up_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most = 0, 0
    read = LogReader.next

    async def counted(reader: LogReader) -> Page | None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await read(reader)
        finally:
            running -= 1

    monkeypatch.setattr(LogReader, "next", counted)
    async with opened(tmp_path, rooms=RoomsSection()) as (app, stage):
        ann, bob = await stage.person(), await stage.person()
        path = f"/room/websocket?token={bob.token}&since="
        cursor = (await listen(app, path, 1))[0].split('"cursor":"')[1].split('"')[0]
        asked = Asked(method="POST", path="/room/create", body={"otherUsers": [bob.id]}, by=ann.token)
        room = (await stage.ask_json(asked))["roomId"]
        for number in range(60):
            body = {"content": str(number)}
            await stage.ask_json(Asked(method="POST", path=f"/room/post/{room}", body=body, by=ann.token))
        heard: list[list[str]] = []

        async def resume() -> None:
            heard.append(await listen(app, path + cursor, 62))

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(resume)
    assert len(heard) == 8
    assert all(frames == heard[0] for frames in heard)
    assert [f'"content":"{number}"' in frame for number, frame in enumerate(heard[0][2:])] == [True] * 60
    assert most == CATCH_UPS
