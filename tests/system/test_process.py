"""The process: starting, stopping, refusing to start, and what operators look at."""

import signal
import sqlite3
from pathlib import Path

import pytest
import trio

from tests.system.server import listening, local_server, open_server, run_command, sign_up


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        async with listening(f"{server.socket_url}/room/websocket?token={ann.token}") as listener:
            with trio.fail_after(10):
                server.process.send_signal(number)
                assert await listener.close_code() == 1001
                assert await server.process.wait() == 0
    assert not [line for line in server.lines if line.get("level") == "error"]


async def test_a_second_signal_does_not_wait_for_a_request_in_flight(tmp_path: Path) -> None:
    async with open_server(tmp_path, ["server.grace=1h"]) as server:
        port = int(server.url.rpartition(":")[2])
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n{")
            server.process.terminate()
            await server.wait_line(lambda line: line["message"] == "stopping")
            server.process.terminate()
            with trio.fail_after(10):
                assert await server.process.wait() == 0


async def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        bind = server.url.removeprefix("http://")
        done = await run_command("serve", "--set", f"server.bind={bind}", folder=tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr.decode().splitlines()[-1] == f"regserver: cannot listen on {bind}: Address already in use"
    )
    assert b"Traceback" not in done.stderr


async def test_a_newer_database_is_one_clear_line(tmp_path: Path) -> None:
    assert (await run_command("migrate", folder=tmp_path)).returncode == 0
    with sqlite3.connect(tmp_path / "regserver.db") as connection:
        connection.execute("INSERT INTO migration (number, name, at) VALUES (9999, 'future', 0)")
    connection.close()
    for command in ("serve", "migrate"):
        done = await run_command(command, folder=tmp_path)
        assert done.returncode == 1
        assert b"the database is at schema version 9999" in done.stderr
        assert b"Traceback" not in done.stderr


async def test_a_wrong_configuration_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[live]\nsourse = 'file'\n")
    done = await run_command("serve", "--config", str(file), folder=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr.decode() == f"regserver: {file}:2: live.sourse: unknown key; did you mean live.source?\n"
    )
    missing = await run_command("serve", "--set", "live.file.path=nobody.toml", folder=tmp_path)
    assert (missing.returncode, missing.stderr) == (
        2,
        b"regserver: --set live.file.path: "
        + f"{tmp_path}/nobody.toml: cannot be read: No such file or directory\n".encode(),
    )


async def test_commands(tmp_path: Path) -> None:
    assert (await run_command("version", folder=tmp_path)).stdout.startswith(b"regserver ")
    assert (await run_command("--help", folder=tmp_path)).returncode == 0
    assert (await run_command("nonsense", folder=tmp_path)).returncode == 2
    path = str(tmp_path / "new.toml")
    assert (await run_command("config", "init", path, folder=tmp_path)).returncode == 0
    again = await run_command("config", "init", path, folder=tmp_path)
    assert (again.returncode, again.stderr.decode()) == (1, f"regserver: {path}: File exists\n")
    checked = await run_command("config", "check", "--config", path, folder=tmp_path)
    assert (checked.returncode, checked.stdout.decode()) == (0, f"{path}: fine\n")
    shown = await run_command("config", "show", "--set", "live.http.bearer=hush", folder=tmp_path)
    assert b"hush" not in shown.stdout


async def test_health_and_figures() -> None:
    async with local_server() as (_, client):
        alive = await client.get("/health/alive")
        assert (alive.status_code, alive.json()["status"]) == (200, "alive")
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["failing"]) == (200, [])
        assert ready.json()["parts"]["store"] == "ok"
        await client.get("/nowhere")
        figures = (await client.get("/metrics")).text
        assert 'regserver_http_requests_total{method="GET",route="/health/alive",status="200"} 1.0' in figures
        assert 'route="(none)",status="404"' in figures


async def test_a_node_that_was_told_to_stop_says_so_and_serves_on(tmp_path: Path) -> None:
    async with open_server(tmp_path, ("server.drain=10m",)) as server, server.client() as client:
        assert (await client.get("/health/ready")).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        with trio.fail_after(30):
            while (ready := await client.get("/health/ready")).status_code == 200:
                assert ready.json()["failing"] == []
        assert (ready.status_code, ready.json()["failing"]) == (503, ["stop"])
        alive = await client.get("/health/alive")
        assert (alive.status_code, alive.headers["connection"]) == (200, "close")
        assert await server.stop() == 0  # told again, it does not wait longer


async def test_every_line_of_a_request_carries_its_id(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        identity = (await client.get("/health/alive")).headers["x-request-id"]
        line = await server.wait_line(lambda line: line.get("request") == identity)
    assert (line["message"], line["status"]) == ("GET /health/alive", 200)


async def test_systemd_is_told(tmp_path: Path) -> None:
    socket = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM)
    with socket:
        await socket.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        async with open_server(tmp_path, environment=environment) as server:
            with trio.fail_after(10):
                assert (await socket.recv(1000)).startswith(b"READY=1")
                server.process.terminate()
                assert (await socket.recv(1000)) == b"STOPPING=1"
                assert await server.process.wait() == 0


async def test_a_reload_takes_other_servers_and_refuses_nonsense(tmp_path: Path) -> None:
    file = tmp_path / "regserver.toml"
    file.write_text('[directory]\nreserved = ["first"]\n')
    async with open_server(tmp_path) as server, server.client() as client:

        async def errors(username: str) -> list[str]:
            answer = await client.post("/init", json={"userName": username, "password": "", "email": ""})
            return [error["id"] for error in answer.json()["errors"]]

        assert "RESERVED_USER_NAME" in await errors("first")
        file.write_text('[directory]\nreserved = ["second"]\n')
        server.process.send_signal(signal.SIGHUP)
        await server.wait_line(lambda line: line["message"] == "reloaded")
        assert "RESERVED_USER_NAME" in await errors("second")
        assert "RESERVED_USER_NAME" not in await errors("first")
        file.write_text("[directory]\nservers = 3\n")
        server.process.send_signal(signal.SIGHUP)
        await server.wait_line(
            lambda line: line["message"].startswith("not reloaded: regserver.toml:2: directory.servers")
        )
        assert "RESERVED_USER_NAME" in await errors("second")
