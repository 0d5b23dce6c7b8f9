"""No secret of anybody stands where it does not belong: in the store and its journal, the log, a backup, the process list."""

import json
import re
import stat
from pathlib import Path

import httpx

from tests.peer.http import Answer, Asked, open_http_peer
from tests.peer.smtp import open_smtp_peer
from tests.system.server import Server, listening, open_server, run_command, sign_up
from tests.system.steps_client import StepsClient

PHONE = "+380501234567"
EMAIL = "steps.person@commun.example"
IDENTITY_KEY = "identity-service-key-0001"
CONFIGURED = (
    "identity-service-key-0001",
    "trusted-directory-key-01",
    "a pepper of thirty letters or so",
    "sms-key-77",
)
MISTYPED = "mistyped pass phrase 4711"


async def lives(server: Server, client: httpx.AsyncClient) -> set[str]:
    """What people do at every door; their secrets."""
    ann = await sign_up(client, "annabella")
    ticket = (await ann.post("/login/ticket"))["ticket"]
    room = (await ann.post("/room/create", {"name": "Tea"}))["roomId"]
    await ann.post(f"/room/post/{room}", {"content": "hello"})
    async with listening(f"{server.socket_url}/room/websocket?token={ann.token}&since=") as listener:
        cursor = (await listener.message())["cursor"]
    wrong = {"username": "annabella", "password": MISTYPED}
    assert (await client.post("/login", json=wrong)).status_code == 401
    assert (
        await client.get("/login/info", headers={"authorization": "Bearer regs_wrong" + "x" * 30})
    ).status_code
    right = {"username": "ada", "password": "correct horse battery"}
    location = (await client.post("/login", json=right)).headers["location"]
    registration = location.rpartition("/")[2]
    async with listening(location) as listener:
        while (event := await listener.message())["eventType"] != "AUTHENTICATION":
            pass
    live_token = str(event["additionalData"]["token"])
    passwords = {"annabella's long password", MISTYPED, "correct horse battery"}
    return {ann.token, ticket, cursor, registration, live_token, *passwords}


async def search(folder: Path, server: Server, secrets: set[str]) -> list[tuple[str, str]]:
    """Where each of them stands."""
    backup = folder / "backup.tar"
    store = f"store.url=sqlite:{folder / 'test.db'}"
    assert (await run_command("backup", str(backup), "--set", store, folder=folder)).returncode == 0
    places = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert {"test.db", "test.db-wal", "test.key", "backup.tar"} <= places.keys()
    process = Path(f"/proc/{server.process.pid}")
    places |= {"log": server.printed.encode(), "ps": (process / "cmdline").read_bytes()}
    assert b"serve" in places["ps"]
    return [
        (place, secret) for place, data in places.items() for secret in secrets if secret.encode() in data
    ]


async def test_no_secret_stands_where_it_does_not_belong(tmp_path: Path, new_interpreters: None) -> None:
    texts: list[str] = []

    def provide(asked: Asked) -> Answer:
        texts.append(asked.body.decode())
        return Answer(200)

    variables = {
        "REGSERVER_STEPS__IDENTITY_SECURE_KEY": CONFIGURED[0],
        "REGSERVER_DIRECTORY__TRUSTED_KEY": CONFIGURED[1],
        "REGSERVER_STEPS__PEPPER": CONFIGURED[2],
    }
    async with open_http_peer(provide) as peer, open_smtp_peer() as (smtp, _):
        variables["REGSERVER_SMS__HTTP__URL"] = f"{peer.url}/send?key={CONFIGURED[3]}"
        settings = (
            "server.public_url=http://localhost",
            "sms.kind=http",
            'sms.countries=["*"]',
            f"mail.smtp=smtp://127.0.0.1:{smtp.port}?tls=none",
            "log.level=debug",
        )
        (tmp_path / "state").mkdir()
        async with (
            open_server(tmp_path / "state", settings, environment=variables) as server,
            httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        ):
            secrets = {*CONFIGURED}
            steps = StepsClient(client)
            await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
            phone_code = re.findall(r"\b\d{6}\b", json.loads(texts[0])["text"])[0]
            verified = await steps.call("verify", phone=PHONE, code=phone_code, wantToken=True)
            await steps.reply("createIdentity", identity="oauth-4711", secureKey=IDENTITY_KEY)
            await steps.reply("createIdentity", identity="oauth-4712", secureKey="wrong-key-of-a-stranger")
            await steps.call("firstStepEmail", email=EMAIL, captcha="", captchaType="web")
            init = {
                "userName": "Directory1",
                "password": "directory pass phrase",
                "email": "dir@person.example",
            }
            assert (await client.post("/init", json=init)).status_code == 200
            await smtp.wait_received(2)
            bodies = [received.part("plain") for received in smtp.received]
            codes = [code for body in bodies for code in re.findall(r"\b\d{6}\b", body)]
            links = [link for body in bodies for link in re.findall(r"#(\w{16,})", body)]
            assert len(codes) == len(links) == 1
            secrets |= {phone_code, *codes, *links, verified["token"], PHONE[1:], EMAIL, "oauth-4711"}
            secrets |= {"wrong-key-of-a-stranger", "directory pass phrase"}
            assert await search(tmp_path / "state", server, secrets) == []


async def test_no_token_or_password_stands_where_it_does_not_belong(tmp_path: Path) -> None:
    async with open_server(tmp_path, ("log.level=debug",)) as server, server.client() as client:
        secrets = await lives(server, client)
        assert await search(tmp_path, server, secrets) == []


async def test_state_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await run_command(
            "backup",
            str(tmp_path / "b.tar"),
            "--set",
            f"store.url=sqlite:{tmp_path / 'test.db'}",
            folder=tmp_path,
        )
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert {"test.db", "test.db-wal", "test.db-shm", "test.key", "b.tar"} <= modes.keys()
    assert set(modes.values()) == {0o600}
