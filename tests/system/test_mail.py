"""Mail that is never lost: the started server and a mail server that fails in every way."""

import signal
from pathlib import Path

import httpx
import pytest
import trio

from regserver.service.mail_delivery import SENDERS
from tests.peer.smtp import Mood, SmtpPeer, open_smtp_peer
from tests.system.server import Server, open_server


def settings(peer: SmtpPeer) -> list[str]:
    return [
        f"mail.smtp=smtp://127.0.0.1:{peer.port}",
        "mail.from=regserver@example.com",
        "server.public_url=https://example.org/reg",
    ]


async def begin(client: httpx.AsyncClient, name: str) -> None:
    fields = {"userName": name, "password": "sixsix", "email": f"{name}@example.org", "languageCode": "ru"}
    response = await client.post("/init", json=fields)
    assert response.status_code == 200, response.text


async def readiness(client: httpx.AsyncClient) -> tuple[int, str]:
    """The status, and the words on mail."""
    answer = await client.get("/health/ready")
    words = answer.json()["parts"]["mail"]
    assert isinstance(words, str)
    return answer.status_code, words


async def test_a_mail_in_the_language_of_its_reader(tmp_path: Path) -> None:
    async with (
        open_smtp_peer() as (peer, _),
        open_server(tmp_path, settings(peer)) as server,
        server.client() as client,
    ):
        await begin(client, "Alice")
        await peer.wait_received(1)
        (received,) = peer.accepted
        assert received.message["Subject"] == "Подтвердите регистрацию на example.org"
        for kind in ("plain", "html"):
            assert "https://example.org/reg/confirm?lang=ru#" in received.part(kind)
        challenge = received.part("plain").partition("#")[2].split()[0]
        assert (await client.get(f"/{challenge}/confirm")).json() == {"server": "example.org"}
        assert challenge not in server.printed
    kept = stored_bytes(tmp_path)
    assert b"Alice" in kept
    assert challenge.encode() not in kept


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def test_a_dead_mail_server_delays_mail_over_a_restart_and_loses_none(tmp_path: Path) -> None:
    async with open_smtp_peer() as (peer, nursery):
        peer.stop()
        async with open_server(tmp_path, settings(peer)) as server, server.client() as client:
            await begin(client, "Alice")
            await server.wait_line(lambda line: line["message"].startswith("mail cannot be sent"))
            status, words = await readiness(client)
            assert status == 200
            assert "mail is late since" in words
            assert f"127.0.0.1:{peer.port} refuses connections" in words
            # A proxy goes on sending requests here, and strangers behind it learn nothing of the mail server.
            asked = await client.get("/health/ready", headers={"host": "reg.example.org"})
            assert (asked.status_code, asked.json()) == (200, {"status": "ready"})
            assert (await client.get("/alice/check")).status_code == 200  # everything else goes on
            assert await server.stop() == 0
        async with open_server(tmp_path, settings(peer)) as server, server.client() as client:
            await server.wait_line(lambda line: line["message"].startswith("mail cannot be sent"))
            assert (await readiness(client))[0] == 200
            await peer.start(nursery)
            await server.wait_line(lambda line: line["message"].endswith("was sent"))
            assert await readiness(client) == (200, "ok")
        assert [received.recipient for received in peer.accepted] == ["Alice@example.org"]


@pytest.mark.parametrize("mood", ["stall at greeting", "stall after data"])
async def test_a_stalling_mail_server_holds_up_nothing(tmp_path: Path, mood: Mood) -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = mood
        async with open_server(tmp_path, settings(peer)) as server, server.client() as client:
            await begin(client, "Alice")
            await peer.wait_connections(1)
            await begin(client, "Bobby")
            assert (await client.get("/health/alive")).status_code == 200
            with trio.fail_after(60):
                assert await server.stop() == 0
        peer.mood = "well"
        async with open_server(tmp_path, settings(peer)):
            with trio.fail_after(60):
                while len(peer.accepted) < 2:
                    await peer.wait_received(len(peer.received) + 1)
        assert sorted(received.recipient for received in peer.accepted) == [
            "Alice@example.org",
            "Bobby@example.org",
        ]


async def test_a_message_dropped_after_data_comes_again_under_the_same_id(tmp_path: Path) -> None:
    async with open_smtp_peer() as (peer, _), open_server(tmp_path, settings(peer)) as server:
        peer.mood = "drop after data"
        async with server.client() as client:
            await begin(client, "Alice")
        await peer.wait_received(1)
        peer.mood = "well"
        await peer.wait_received(2)
        assert len(peer.accepted) == 1
        assert len({received.message["Message-ID"] for received in peer.received}) == 1


async def kill(server: Server) -> None:
    assert await server.stop(signal.SIGKILL) == -signal.SIGKILL


async def test_kill_9_while_the_verdict_is_out(tmp_path: Path) -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = "stall after data"
        async with open_server(tmp_path, settings(peer)) as server:
            async with server.client() as client:
                await begin(client, "Alice")
            await peer.wait_received(1)
            await kill(server)
        peer.mood = "well"
        async with open_server(tmp_path, settings(peer)):
            await peer.wait_received(2)
        assert [received.recipient for received in peer.accepted] == ["Alice@example.org"]


async def test_kill_9_amid_many_mails(tmp_path: Path) -> None:
    count = 60
    async with open_smtp_peer() as (peer, nursery):
        peer.stop()
        async with open_server(tmp_path, settings(peer)) as server, server.client() as client:
            async with trio.open_nursery() as senders:
                for number in range(count):
                    senders.start_soon(begin, client, f"user{number}")
            await peer.start(nursery)
            await peer.wait_received(10)
            await kill(server)
        early = len(peer.accepted)
        async with open_server(tmp_path, settings(peer)):
            with trio.fail_after(60):
                while len({received.recipient for received in peer.accepted}) < count:
                    await peer.wait_received(len(peer.received) + 1)
        assert early < count
        # Only what was accepted in the very moment of the kill can come twice, and then it shows the same id.
        ids = [received.message["Message-ID"] for received in peer.accepted]
        assert len(ids) - len(set(ids)) <= SENDERS
        assert len(set(ids)) == count
