"""What commands ask of the running server: it tells sockets, reads its settings again, lifts limits, says how it is."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.system.server import Server, listening, open_server, run_command, sign_up


class Desk:
    """Commands with the configuration of a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._folder = folder
        address = server.url.partition("//")[2]
        self._settings = (f"server.bind={address}", f"store.url=sqlite:{folder / 'test.db'}")

    async def run(self, *words: str) -> tuple[int, str, str]:
        options = [word for setting in self._settings for word in ("--set", setting)]
        done = await run_command(*words, *options, folder=self._folder)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    async def json(self, *words: str) -> Any:
        code, out, err = await self.run(*words, "--json")
        assert code == 0, err
        return json.loads(out)


async def test_sockets_hear_of_it(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        desk = Desk(tmp_path, server)
        ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
        cleo = await sign_up(client, "cleo")
        made = {"name": "Tea", "otherUsers": [bob.id, cleo.id]}
        room = str((await ann.post("/room/create", made))["roomId"])
        url = f"{server.socket_url}/room/websocket?since=&token="
        async with listening(url + bob.token) as his:
            assert (await his.message())["type"] == "Resumed"
            assert await desk.run("room", "remove-member", room, str(cleo.id)) == (
                0,
                f"account {cleo.id} is no longer in room {room}\n",
                "",
            )
            heard = await his.message()
            assert (heard["type"], heard["userId"]) == ("UserLeftRoom", cleo.id)
            assert (await desk.run("room", "close", room))[0] == 0
            heard = await his.message()
            assert (heard["type"], heard["userId"]) == ("UserLeftRoom", ann.id)
        code, _, err = await desk.run("room", "close", room)
        assert (code, err) == (1, f"regserver: room {room}: there is no such room\n")
        rows = await desk.json("audit", "list", "--limit", "2")
        assert [row["action"] for row in rows] == ["room_closed", "member_removed"]
        assert all(row["actor"].startswith("command ") for row in rows)


async def test_who_has_reached_a_limit_may_go_on(tmp_path: Path) -> None:
    settings = ["limits.enabled=true", "limits.routes.page=2/1h"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        desk = Desk(tmp_path, server)
        assert [(await client.get("/")).status_code for _ in range(3)] == [200, 200, 429]
        (held,) = (await desk.json("limit", "list"))["held"]
        assert (held["limit"], held["client"]) == ("page", "127.0.0.1")
        assert (await desk.run("limit", "lift", "127.0.0.1"))[0] == 0
        assert (await client.get("/")).status_code == 200
        assert (await desk.run("limit", "lift", "everybody"))[0] == 1

        await sign_up(client, "ann")
        for _ in range(6):
            await client.post("/login", json={"username": "ann", "password": "wrong one"})
        with closing(sqlite3.connect(tmp_path / "test.db", timeout=20)) as store, store:
            store.execute("UPDATE guess SET failures = 20")
        (counted,) = await desk.json("limit", "list", "--user", "ann")
        assert (counted["failures"], counted["seconds"] > 600) == (20, True)
        right = {"username": "ann", "password": "ann's long password"}
        assert (await client.post("/login", json=right)).status_code == 429
        assert (await desk.json("limit", "lift", "--user", "ann")) == {"count": 1}
        assert (await client.post("/login", json=right)).status_code == 200
        rows = await desk.json("audit", "list", "--action", "limit_lifted")
        assert [row["subject"] for row in rows] == ["of wrong secrets", "of a client"]


async def test_the_server_says_how_it_is(tmp_path: Path) -> None:
    settings = ["mail.smtp=smtp://127.0.0.1:9", "server.public_url=https://example.org"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        desk = Desk(tmp_path, server)
        code, out, err = await desk.run("server", "show")
        assert (code, err) == (0, ""), out
        assert "store      ok" in out
        assert await desk.json("server", "registrations") == []
        body = {"userName": "Alice", "password": "rather long", "email": "alice@example.org"}
        assert (await client.post("/init", json=body)).status_code == 200
        await server.wait_line(lambda line: line.get("logger") == "regserver.mail")
        code, out, _ = await desk.run("server", "show")
        assert (code, "is degraded" in out) == (1, True)
        assert len(await desk.json("mail", "list", "--state", "waiting")) == 1
        assert await desk.json("mail", "list", "--state", "failed") == []
    code, out, err = await desk.run("server", "show")
    assert (code, out, err.startswith("regserver: no server answers at ")) == (1, "", True)


async def test_a_key_of_another_installation_is_told(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        desk = Desk(tmp_path, server)
        key = tmp_path / "another.key"
        key.write_bytes(bytes(32))
        code, _, err = await desk.run("server", "show", "--set", f"server.key={key}")
        assert (code, "is server.key another one" in err) == (1, True)
