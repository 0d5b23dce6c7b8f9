"""`presence=true`: members see each other come, go and type, by WebSocket and by stream; nobody else notices."""

import pytest
import trio

from tests.system.server import listening, local_server, sign_up
from tests.system.test_room_socket import socket_url
from tests.system.test_stream import streaming


async def test_members_see_each_other() -> None:
    async with local_server(rooms={"presence_grace": "200ms"}) as (server, client):
        ann, bob, eve = [await sign_up(client, name) for name in ("ann", "bob", "eve")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]

        def sign(person: int, *, online: bool) -> dict[str, object]:
            return {"type": "Presence", "userId": person, "roomId": room, "online": online}

        async with (
            listening(socket_url(server, ann, "&presence=true&since=")) as anns,
            listening(socket_url(server, ann)) as plain,
            listening(socket_url(server, eve, "&presence=true")) as eves,
        ):
            cursor = (await anns.message())["cursor"]
            async with streaming(server, bob, query="?presence=true") as bobs:
                resumed = await bobs.next()
                assert resumed is not None
                event = await bobs.next()
                assert event is not None
                # Without an id of its own: the stream goes on from the cursor before it.
                assert event.data == sign(ann.id, online=True)
                assert event.id in {"", resumed.id}
                assert await anns.message() == sign(bob.id, online=True)
                for _ in range(20):
                    assert (await bob.call("POST", f"/room/typing/{room}")).status_code == 204
                assert await anns.message() == {"type": "Typing", "userId": bob.id, "roomId": room}
                assert (await eve.call("POST", f"/room/typing/{room}")).status_code == 401
            assert await anns.message() == sign(bob.id, online=False)
            await bob.post(f"/room/post/{room}", {"content": "after all"})
            assert (await plain.message())["content"] == "after all"  # the first that it hears
            assert (await anns.message())["content"] == "after all"
            with pytest.raises(trio.TooSlowError), trio.fail_after(0.5):
                raise AssertionError(await eves.text())
        async with listening(socket_url(server, ann, f"&since={cursor}")) as again:
            assert (await again.message())["missed"] == 1
            assert (await again.message())["content"] == "after all"
