"""What is only for the operator: metrics, and which part of the server fails. Strangers come through a trusted proxy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver import testing
from tests.serving.support import Peer
from tests.system.server import client_of, open_server, run_command

TOKEN = "a token of the operator"
STRANGER = {"x-forwarded-for": "192.0.2.7"}
PATHS = (
    "/metrics", "/metrics/", "/metrics%2f", "/metrics%2F", "/%6detrics", "/metrics/%2f", "/metrics?x", "/metrics%3f",
    "/./metrics", "//metrics", "/metrics;x", "/METRICS", "/metrics%00", "/health/../metrics",
)  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[testing.TestedServer]:
    operations = {"bearer": TOKEN, "networks": ["198.51.100.0/24"]}
    async with testing.server(server={"trusted_proxies": ["127.0.0.1"]}, operations=operations) as server:
        yield server


async def raw(
    server: testing.TestedServer, path: str, host: str = "127.0.0.1", **fields: str
) -> tuple[int, bytes]:
    """A GET of a target as it is."""
    peer = Peer(await trio.open_tcp_stream("127.0.0.1", int(server.url.rpartition(":")[2])))
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in fields.items())]
    status, _, body = await peer.ask(("\r\n".join(lines) + "\r\n\r\n").encode())
    await peer.aclose()
    return status, body


async def test_strangers_see_no_metrics_however_they_spell_it(server: testing.TestedServer) -> None:
    for path in PATHS:
        status, body = await raw(server, path, **STRANGER)
        assert status in {400, 403, 404}, path
        assert b"regserver_" not in body, path
    assert await raw(server, "/metrics/", **STRANGER) == (403, b'{"error":"OperatorsOnly"}')


async def test_strangers_learn_only_whether_the_server_is_ready(server: testing.TestedServer) -> None:
    for path in ("/health/ready", "/health/ready/", "/health/ready%2f"):
        assert await raw(server, path, **STRANGER) == (200, b'{"status":"ready"}')


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-forwarded-for": "127.0.0.1"},
        {"x-forwarded-for": "6.6.6.6, 127.0.0.9"},
        {"x-forwarded-for": "198.51.100.7", "host": "reg.example"},
        {**STRANGER, "authorization": f"Bearer {TOKEN}"},
    ],
)
async def test_the_operator_sees_both(server: testing.TestedServer, headers: dict[str, str]) -> None:
    async with client_of(server) as client:
        metrics = await client.get("/metrics", headers=headers)
        assert (metrics.status_code, "regserver_http_requests" in metrics.text) == (200, True)
        ready = (await client.get("/health/ready", headers=headers)).json()
        assert ready["parts"]["store"] == "ok"


@pytest.mark.parametrize(
    "headers",
    [
        {**STRANGER, "authorization": f"Bearer {TOKEN}!"},
        {**STRANGER, "authorization": TOKEN},
        {"x-forwarded-for": "127.0.0.1, unknown"},
        {"forwarded": "for=127.0.0.1"},
        {"host": "evil.example"},
    ],
)
async def test_others_do_not(server: testing.TestedServer, headers: dict[str, str]) -> None:
    async with client_of(server) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == 403
        assert (await client.get("/health/ready", headers=headers)).json() == {"status": "ready"}


async def test_the_token_is_in_no_log_and_no_output(tmp_path: Path) -> None:
    async with (
        open_server(tmp_path, [f"operations.bearer={TOKEN}"]) as server,
        server.client() as client,
    ):
        await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert TOKEN not in server.printed


async def test_late_mail_degrades_and_does_not_take_the_server_away(tmp_path: Path) -> None:
    settings = ["mail.smtp=smtp://127.0.0.1:9", "server.public_url=https://example.org"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        body = {"userName": "Alice", "password": "rather long", "email": "alice@example.org"}
        assert (await client.post("/init", json=body)).status_code == 200
        await server.wait_line(lambda line: line["logger"] == "regserver.mail" if "logger" in line else False)
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"], ready.json()["failing"]) == (
            200,
            "degraded",
            ["mail"],
        )
        stranger = await client.get("/health/ready", headers={"host": "example.org"})
        assert (stranger.status_code, stranger.json()) == (200, {"status": "ready"})


async def test_a_short_token_is_refused(tmp_path: Path) -> None:
    done = await run_command("config", "check", "--set", "operations.bearer=short", folder=tmp_path)
    assert done.returncode == 2
    assert b"operations.bearer: expected at least 16 characters" in done.stderr
