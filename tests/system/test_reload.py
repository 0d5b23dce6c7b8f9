"""A reload of the started server: each part is changed in its file and seen to be changed, and open connections live on."""

import json
import signal
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import trio

from tests.peer.postgres import make_certificate
from tests.peer.smtp import open_smtp_peer
from tests.system.server import LogLine, Server, listening, open_server, run_command, sign_up
from tests.system.steps_client import StepsClient

ORIGIN = "https://app.example.org"
PERSON = (
    '[[user]]\nusername = "{name}"\npassword = "{name} has a password"\nfirst_name = "{name}"\ndelay = "0"\n'
)


class Site:
    """A server with its configuration file and its roster in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reloads = 0

    @property
    def settings(self) -> tuple[str, ...]:
        return (f"live.file.path={self._folder / 'people.toml'}", "limits.enabled=true")

    def write(self, *lines: str, people: tuple[str, ...] = ("ada",)) -> None:
        (self._folder / "regserver.toml").write_text("\n".join(lines) + "\n")
        (self._folder / "people.toml").write_text("".join(PERSON.format(name=name) for name in people))

    async def reload(self, server: Server, *lines: str, people: tuple[str, ...] = ("ada",)) -> LogLine:
        """Changes the files and sends the signal; the line of the log that says what became of it."""
        self.write(*lines, people=people)
        return await self.signal(server)

    async def signal(self, server: Server) -> LogLine:
        self._reloads += 1
        server.process.send_signal(signal.SIGHUP)
        return await nth_line(
            server, self._reloads, lambda text: text == "reloaded" or "not reloaded: " in text
        )


async def nth_line(server: Server, number: int, wanted: Callable[[str], bool]) -> LogLine:
    seen: list[LogLine] = []

    def is_nth(line: LogLine) -> bool:
        if wanted(line["message"]) and line not in seen:
            seen.append(line)
        return len(seen) == number

    with trio.fail_after(30):
        return await server.wait_line(is_nth)


async def test_every_part_is_taken_and_old_connections_live_on(tmp_path: Path) -> None:
    site = Site(tmp_path)
    always = ('server.public_url = "https://example.org"',)
    site.write(*always)
    async with (
        open_smtp_peer() as (peer, _),
        open_server(tmp_path, site.settings) as server,
        server.client() as client,
    ):
        ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with listening(f"{server.socket_url}/room/websocket?token={bob.token}") as listener:
            assert (await site.reload(server, *always, f'server.cors_origins = ["{ORIGIN}"]'))["changed"] == (
                "server.cors_origins"
            )
            answer = await client.get("/health/alive", headers={"origin": ORIGIN})
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            await site.reload(server, *always)
            answer = await client.get("/health/alive", headers={"origin": ORIGIN})
            assert "access-control-allow-origin" not in answer.headers

            await site.reload(server, *always, people=("ada", "cyd"))
            credentials = {"username": "cyd", "password": "cyd has a password"}
            assert (await client.post("/login", json=credentials)).status_code == 303
            assert (await sign_up_status(client, "ada")) == (409, "UsernameTaken")

            await site.reload(server, *always, f'mail.smtp = "smtp://127.0.0.1:{peer.port}?tls=none"')
            fields = {
                "userName": "Danny",
                "password": "sixsix",
                "email": "danny@example.org",
                "languageCode": "en",
            }
            assert (await client.post("/init", json=fields)).status_code == 200
            await peer.wait_received(1)

            await site.reload(server, *always, 'sms.text = "Here it is: {code}"')
            await StepsClient(client).call("firstStep", phone="+380501234567", captcha="", captchaType="web")
            with trio.fail_after(30):
                await server.wait_line(lambda line: "SMS to +380501234567: Here it is: " in line["message"])

            await site.reload(server, *always, 'signup.mode = "invite"')
            assert (await sign_up_status(client, "eve")) == (403, "InvitationRequired")
            assert 'name="invitation"' in (await client.get("/")).text

            await site.reload(server, *always, 'limits.routes = { sign_up = "1/1h" }')
            found = [await sign_up_status(client, name) for name in ("fay", "gus")]
            assert found[1] == (429, "TooManyRequests")

            await ann.post(f"/room/post/{room}", {"content": "still here"})
            while (await listener.message()).get("type") != "NewPost":
                pass


async def sign_up_status(client: httpx.AsyncClient, name: str) -> tuple[int, str]:
    body = {"username": name, "email": f"{name}@example.org", "password": f"{name} has a long password"}
    answer = await client.post("/login/register", json=body)
    return answer.status_code, answer.json().get("error", "")


async def test_what_is_wrong_changes_nothing_and_what_needs_a_restart_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write()
    async with open_server(tmp_path, site.settings) as server, server.client() as client:
        wrong = await site.reload(server, f'server.cors_origins = ["{ORIGIN}"]', 'log.level = "loud"')
        assert wrong["message"].startswith("not reloaded: regserver.toml:2: log.level: expected ")
        answer = await client.get("/health/alive", headers={"origin": ORIGIN})
        assert "access-control-allow-origin" not in answer.headers
        broken = await site.reload(server, f'server.cors_origins = ["{ORIGIN}"]', people=("ada", "ada"))
        assert "line 6 (ada): the roster has this user name twice" in broken["message"]

        await site.reload(server, "rooms.max_members = 7", 'log.level = "debug"')
        await server.wait_line(
            lambda line: line["message"] == "rooms.max_members has changed, which needs a restart"
        )


async def test_the_level_of_the_log_is_taken(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write()
    async with open_server(tmp_path, site.settings) as server, server.client() as client:
        site.write('log.level = "error"', f'server.cors_origins = ["{ORIGIN}"]')
        server.process.send_signal(signal.SIGHUP)
        for _ in range(1000):  # no line says it at this level
            if "vary" in (await client.get("/health/alive")).headers:
                break
            await trio.sleep(0.02)
        silent = (await client.get("/health/alive")).headers["x-request-id"]
        await site.reload(server)
        heard = (await client.get("/health/alive")).headers["x-request-id"]
        with trio.fail_after(30):
            await server.wait_line(lambda line: line.get("request") == heard)
        assert not [line for line in server.lines if line.get("request") == silent]


async def test_a_certificate_is_taken_by_a_reload_and_when_its_files_change(tmp_path: Path) -> None:
    pems = [(tmp_path / f"{name}.key", tmp_path / f"{name}.pem") for name in ("first", "second", "third")]
    for key, certificate in pems:
        make_certificate(key, certificate)
    site = Site(tmp_path)

    def lines(number: int) -> tuple[str, str]:
        key, certificate = pems[number]
        return f'server.tls_cert = "{certificate}"', f'server.tls_key = "{key}"'

    site.write(*lines(0))
    async with open_server(tmp_path, site.settings) as server:
        port = int(server.url.rpartition(":")[2])
        async with httpx.AsyncClient(base_url=server.url, verify=False) as old:  # noqa: S501  (self-signed)
            assert (await old.get("/health/alive")).status_code == 200
            assert await served(port) == der(pems[0][1])
            await site.reload(server, *lines(1))
            assert await served(port) == der(pems[1][1])
            kept = der(pems[1][1])
            pems[1][1].write_text("half of it")
            with trio.fail_after(30):
                await server.wait_line(lambda line: "changed and is not taken" in line["message"])
            assert await served(port) == kept
            for source, target in zip(pems[2], pems[1], strict=True):
                source.rename(target)
            with trio.fail_after(30):
                await server.wait_line(lambda line: "changed and is taken" in line["message"])
            assert await served(port) == der(pems[1][1])
            assert (await old.get("/health/alive")).status_code == 200


def der(certificate: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.read_text())


async def served(port: int) -> bytes:
    """The certificate of a new connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", port, ssl_context=context)
    await stream.do_handshake()
    found = stream.getpeercert(binary_form=True)
    await trio.aclose_forcefully(stream)
    assert isinstance(found, bytes)
    return found


async def test_the_documents_and_the_audit_tell_of_it(tmp_path: Path) -> None:
    """The limits stand in the documents, and the names of settings in the audit."""
    site = Site(tmp_path)
    always = ("[server]", 'public_url = "https://example.org"')
    site.write(*always)
    async with open_server(tmp_path, site.settings) as server, server.client() as client:

        async def rate() -> tuple[str, bool]:
            document = (await client.get("/openapi.json")).json()
            page = (await client.get("/llms.txt")).text
            return document["paths"]["/login"]["post"]["x-rate-limit"], "77 requests" in page

        before = await rate()
        await site.reload(
            server, *always, "[limits.routes]", 'sign_in = "77/1m"', "[mail]", 'smtp = "smtp://u:s3cret@h"'
        )
        after = await rate()
        assert before != after
        assert "77" in json.dumps(after[0])
        await site.reload(server, *always, "[limits.routes]", 'sign_in = "many"')
        address = server.url.partition("//")[2]
        where = (
            "--set",
            f"store.url=sqlite:{tmp_path / 'test.db'}",
            "--set",
            f"server.bind={address}",
            "--json",
        )
        site.write(*always, "[limits.routes]", 'sign_in = "78/1m"')
        done = await run_command("reload", *where, folder=tmp_path)
        assert (done.returncode, json.loads(done.stdout)["changed"]) == (0, ["mail.smtp", "limits.routes"])
        listed = await run_command("audit", "list", *where, folder=tmp_path)
        rows = [
            (row["actor"], row["outcome"], row["subject"])
            for row in json.loads(listed.stdout)
            if row["action"] == "settings_reloaded"
        ]
        assert rows[1:] == [("signal", "refused", ""), ("signal", "done", "mail.smtp limits.routes")]
        assert rows[0][0].startswith("command ")
        assert rows[0][1:] == ("done", "mail.smtp limits.routes")
        assert "s3cret" not in listed.stdout.decode()


async def test_the_command_finds_the_server_and_names_what_the_check_names(tmp_path: Path) -> None:
    """Whatever the changed file says of where the server listens."""
    site = Site(tmp_path)
    store = f"store.url=sqlite:{tmp_path / 'test.db'}"
    where = ("--set", store, "--set", f"live.file.path={tmp_path / 'people.toml'}")
    site.write()
    async with open_server(tmp_path, site.settings):
        faulty = ('[server]\nbind = ["127.0.0.1:9"]\ntls_cert = "none.pem"\ntls_key = "none.key"', "[log]")
        site.write(*faulty, 'level = "loud"\n[rooms]\nmax_members = "many"', people=("ada", "ada"))
        checked = await run_command("config", "check", *where, folder=tmp_path)
        reloaded = await run_command("reload", *where, folder=tmp_path)
        assert checked.stderr.count(b"\n") == 4
        assert (reloaded.returncode, reloaded.stdout, reloaded.stderr) == (2, b"", checked.stderr)
        told = json.loads((await run_command("reload", *where, "--json", folder=tmp_path)).stdout)
        assert [f"regserver: {fault}" for fault in told["faults"]] == checked.stderr.decode().splitlines()

        site.write("[server", people=("ada",))
        checked = await run_command("config", "check", *where, folder=tmp_path)
        reloaded = await run_command("reload", *where, folder=tmp_path)
        assert (reloaded.returncode, reloaded.stderr) == (2, checked.stderr)

        site.write('[server]\nbind = ["127.0.0.1:9"]', "[log]", 'level = "debug"')
        done = await run_command("reload", *where, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"log.level" in done.stdout
    done = await run_command("reload", *where, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"regserver: no server answers at 127.0.0.1:" in done.stderr
