"""What a client hears of its rooms, over cut connections, restarts and a log that ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio

from regserver import client, testing
from tests.crash.client_checker import free_port


async def test_every_kind_is_heard_as_what_it_is() -> None:
    async with testing.server() as server:
        ada, ben, carl = [await server.person(name) for name in ("ada", "ben", "carl")]
        async with (
            client.open_client(server.url, ada.token) as adas,
            client.open_client(server.url, ben.token) as bens,
            client.open_client(server.url, carl.token) as carls,
            bens.events() as heard,
            carls.events() as newcomer,
            adas.events(echo=True) as echo,
        ):
            room = await adas.rooms.create([ben.id])
            await adas.rooms.invite(room, [carl.id])
            post = await adas.rooms.post(room, "Tea?")
            await carls.accounts.delete()
            kinds = [await anext(heard) for _ in range(4)]
            assert [type(it) for it in kinds] == [
                client.RoomCreated,
                client.NewUsersInRoom,
                client.NewPost,
                client.UserLeftRoom,
            ]
            assert isinstance(kinds[2], client.NewPost)
            assert (kinds[2].post_id, kinds[2].user_id, kinds[2].content) == (post, ada.id, "Tea?")
            assert heard.cursor == kinds[3].cursor  # type: ignore[union-attr]
            assert isinstance(await anext(newcomer), client.RoomInvitation)
            assert [type(await anext(echo)) for _ in range(3)] == [
                client.RoomCreated,
                client.NewUsersInRoom,
                client.NewPost,
            ]


async def test_signs_are_heard_by_those_who_ask() -> None:
    async with testing.server() as server:
        ada, ben = await server.person("ada"), await server.person("ben")
        room = await server.room(ada, ben)
        async with (
            client.open_client(server.url, ada.token) as adas,
            client.open_client(server.url, ben.token) as bens,
            adas.events(presence=True) as heard,
            bens.events(presence=True),
        ):
            while not isinstance(sign := await anext(heard), client.Presence) or sign.user_id != ben.id:
                pass
            assert (sign.room_id, sign.online) == (room, True)
            await bens.rooms.typing(room)
            while not isinstance(sign := await anext(heard), client.Typing):
                pass
            assert (sign.user_id, sign.room_id) == (ben.id, room)


async def test_a_cursor_goes_on_where_an_earlier_client_was() -> None:
    async with testing.server() as server:
        ada, ben = await server.person("ada"), await server.person("ben")
        room = await server.room(ada, ben)
        async with client.open_client(server.url, ada.token) as adas:
            async with client.open_client(server.url, ben.token) as bens, bens.events() as events:
                first = await adas.rooms.post(room, "first")
                assert (await anext(events)).post_id == first  # type: ignore[union-attr]
                missed = await adas.rooms.post(room, "received, and never asked for")
                cursor = events.cursor
            later = await adas.rooms.post(room, "later")
            async with client.open_client(server.url, ben.token) as bens:
                events = bens.events(cursor)
                assert [(await anext(events)).post_id for _ in range(2)] == [missed, later]  # type: ignore[union-attr]


async def test_a_log_that_does_not_reach_back_is_told() -> None:
    async with testing.server(rooms={"event_retention": "1h"}) as server:
        ada, ben = await server.person("ada"), await server.person("ben")
        room = await server.room(ada, ben)
        async with (
            client.open_client(server.url, ada.token) as adas,
            client.open_client(server.url, ben.token) as bens,
        ):
            async with bens.events() as before:
                cursor = before.cursor
            await adas.rooms.post(room, "lost")
            await adas.rooms.post(room, "the newest, which the log keeps")
            server.clock.advance(hours=2)
            with trio.fail_after(10):
                while not isinstance(await _first(bens, cursor), client.Gap):  # noqa: ASYNC110
                    await trio.sleep(0.01)  # until the log is trimmed
            events = bens.events(cursor)
            assert isinstance(await anext(events), client.Gap)
            await adas.rooms.post(room, "heard")
            heard = await anext(events)
            assert isinstance(heard, client.NewPost)
            assert heard.content == "heard"


async def _first(bens: client.Client, cursor: str | None) -> client.Notification:
    async with bens.events(cursor) as events:
        return await anext(events)


async def test_a_token_that_ends_ends_the_iteration() -> None:
    async with testing.server(login={"token_ttl": "1h"}) as server:
        ada = await server.person("ada")
        async with client.open_client(server.url, ada.token) as adas, adas.events() as events:
            server.clock.advance(hours=2)
            with pytest.raises(client.BadToken):
                await anext(events)
            with pytest.raises(client.BadToken):
                await anext(adas.events())


async def test_a_server_that_starts_again_is_found_again(tmp_path: Path) -> None:
    place = {"bind": [f"127.0.0.1:{free_port()}"], "data": str(tmp_path)}
    url = f"http://{place['bind'][0]}"
    async with client.open_client(url) as adas, client.open_client(url) as bens:
        async with testing.server(server=place):
            await adas.accounts.sign_up("ada", "ada@example.org", "a good password")
            ben = await bens.accounts.sign_up("ben", "ben@example.org", "a good password")
            room = await adas.rooms.create([ben.user_id])
            async with bens.events() as before:
                cursor = before.cursor
        events, posts, heard = bens.events(cursor), [], []
        for _ in range(3):
            async with testing.server(server=place):
                posts += [await adas.rooms.post(room, text) for text in ("heard", "on the way when it ends")]
                heard.append(await anext(events))
            async with testing.server(server=place):
                heard.append(await anext(events))
    assert [it.post_id for it in heard if isinstance(it, client.NewPost)] == posts


async def test_a_registration_is_watched_over_a_cut_connection() -> None:
    async with testing.server() as server, client.open_client(server.url) as here:
        server.source("ada", lines=[{"step": 1, "totalSteps": 2, "message": "One"}, 30.0, *testing.STORY[1:]])
        registration = await here.sign_in("ada", "right")
        assert isinstance(registration, client.Registration)
        first = await anext(registration)
        assert registration._socket is not None
        await registration._socket.aclose()
        server.clock.advance(seconds=30)
        rest = [event async for event in registration]
        assert [first.message, *(event.message for event in rest)][:2] == ["One", "Reading your profile"]
        assert registration.session is not None


REFUSALS = (
    b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry",
    b'HTTP/1.1 429 Too Many\r\ncontent-length: 54\r\n\r\n{"error":"TooManyRequests","nextRetry":1,"message":""}',
)
"""Of handshakes: by a server that ends, a proxy whose server is away, and a limit."""


@asynccontextmanager
async def _refusing(url: str, left: list[bytes]) -> AsyncIterator[str]:
    """A way to a server on which handshakes are refused until none of these answers is left. Gives its address."""
    port = int(url.rpartition(":")[2])

    async def pump(here: trio.SocketStream, there: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for data in here:
                await there.send_all(data)
        await there.aclose()

    async def pass_on(client_side: trio.SocketStream) -> None:
        head = bytes(await client_side.receive_some())
        if b"upgrade: websocket" in head.lower() and left:
            await client_side.send_all(left.pop(0))
            return
        server_side = await trio.open_tcp_stream("127.0.0.1", port)
        await server_side.send_all(head)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump, client_side, server_side)
            nursery.start_soon(pump, server_side, client_side)

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, pass_on, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_a_handshake_that_is_refused_is_tried_again() -> None:
    left: list[bytes] = []
    async with testing.server() as server, _refusing(server.url, left) as url:
        ada, ben = await server.person("ada"), await server.person("ben")
        room = await server.room(ada, ben)
        async with client.open_client(url, ada.token) as adas, client.open_client(url, ben.token) as bens:
            left += REFUSALS
            async with bens.events() as events:
                assert left == []
                post = await adas.rooms.post(room, "after all")
                assert (await anext(events)).post_id == post  # type: ignore[union-attr]
        server.source("eve", lines=testing.STORY)
        async with client.open_client(url) as here:
            registration = await here.sign_in("eve", "right")
            assert isinstance(registration, client.Registration)
            left += REFUSALS
            async for _ in registration:
                assert left == []
            assert registration.session is not None


async def test_a_handshake_that_is_refused_for_good_is_told() -> None:
    body = b'{"error":"ForeignOrigin"}'
    left = [b"HTTP/1.1 403 No\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)]
    async with testing.server() as server, _refusing(server.url, left) as url:
        ada = await server.person("ada")
        async with client.open_client(url, ada.token) as adas:
            with pytest.raises(client.Refused) as refused:
                await adas.events().__aenter__()
            assert refused.value.status == 403
            await adas.rooms.create([])  # the client goes on
