"""The doctor's report on a new server, a running one and a broken one; and each finding alone."""

import datetime
import os
import socket
from pathlib import Path

import msgspec
import pytest

from regserver.adapters.server_key import load_server_key
from regserver.store.migration import migrations
from tests.cli.doctor_stage import certify
from tests.cli.shell import Shell
from tests.peer.http import Answer, Asked, answer, open_http_peer
from tests.peer.smtp import open_smtp_peer
from tests.system.server import open_server, run_command

FREE = "server.bind=127.0.0.1:0"
PERSON = '[[user]]\nusername = "ada"\nfirst_name = "Ada"\nlast_name = "L"\n'
HASH = 'password_hash = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"\n'


async def test_a_fresh_place(tmp_path: Path) -> None:
    done = await run_command("doctor", "--set", FREE, folder=tmp_path)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert "ok   configuration: built-in defaults" in lines
    assert f"ok   store: {tmp_path}/regserver.db will be created at the first start" in lines
    assert (
        f"hint source: there is no {tmp_path}/roster.toml, so nobody can sign in by live registration"
        in lines
    )
    assert 'hint provider: mail.smtp is "log:": mail is only written to the log, for trying out' in lines
    assert list(tmp_path.iterdir()) == []


async def test_a_running_server(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        bind = server.url.removeprefix("http://")
        settings = ("--set", f"server.bind={bind}", "--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
        done = await run_command("doctor", *settings, folder=tmp_path)
    assert done.returncode == 0
    assert f"ok   address: {bind} is served by a running server, which is ready" in done.stdout.decode()
    assert "is whole, schema version" in done.stdout.decode()


async def test_an_address_that_another_program_has(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:  # it accepts, and never answers
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        done = await run_command("doctor", "--set", f"server.bind={bind}", folder=tmp_path)
    assert done.returncode == 1
    assert f"FAIL address: cannot listen on {bind}: Address already in use" in done.stdout.decode()


async def test_proxies(tmp_path: Path) -> None:
    settings = ("--set", "server.trusted_proxies=0.0.0.0/0", "--set", FREE)
    done = await run_command("doctor", *settings, folder=tmp_path)
    assert "FAIL proxy: server.trusted_proxies has 0.0.0.0/0" in done.stdout.decode()
    assert "hint proxy: server.public_url is empty" in done.stdout.decode()


async def test_one_broken_part_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "regserver.db").write_text("this is not a database, whatever it may be called")
    (tmp_path / "roster.toml").write_text("[[user]]\nusername = 'x'\n")
    pem = ("--set", "server.tls_cert=none.pem", "--set", "server.tls_key=none.pem")
    done = await run_command("doctor", *pem, "--set", FREE, folder=tmp_path)
    failing = [line for line in done.stdout.decode().splitlines() if line.startswith("FAIL")]
    assert done.returncode == 1
    assert failing[0] == f"FAIL store: {tmp_path}/regserver.db: file is not a database"
    assert f"No such file or directory: '{tmp_path}/none.pem'" in failing[1]
    assert failing[2].startswith(f"FAIL source: {tmp_path}/roster.toml: line 1 (x): expected")


async def test_the_key_beside_the_database(shell: Shell) -> None:
    await shell.run("migrate")
    key = shell.folder / "test.key"
    done = await shell.run("doctor", settings=(FREE,))
    assert (done.code, f"ok   store: {key} will be created at the first start" in done.out) == (0, True)
    key.write_bytes(b"short")
    done = await shell.run("doctor", settings=(FREE,))
    assert (done.code, f"FAIL store: {key} does not have the 32 bytes of a key" in done.out) == (1, True)
    key.unlink()
    load_server_key(key)
    done = await shell.run("doctor", settings=(FREE,))
    whole = f"ok   store: {shell.folder / 'test.db'} is whole, schema version {len(migrations())}\n"
    assert (done.code, whole in done.out) == (0, True)
    key.chmod(0o644)
    done = await shell.run("doctor", settings=(FREE,))
    assert (done.code, f"hint store: other users can read {key}" in done.out) == (0, True)


async def test_a_folder_that_cannot_be_written(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, who may run this, could write anywhere
    done = await shell.run("doctor", settings=(FREE,))
    assert (done.code, f"cannot be created: {shell.folder} is not writable" in done.out) == (1, True)


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        (("server.bind=0.0.0.0:0",), 0, "hint tls: passwords travel unencrypted"),
        (("server.bind=[::1]:0",), 0, "ok   address: [::1]:0 is free"),
        (
            ("server.bind=192.0.2.1:80",),
            1,
            "FAIL address: cannot listen on 192.0.2.1:80: Cannot assign requested address",
        ),
        (("server.bind=unix:/proc/no.sock",), 1, "FAIL address: cannot listen on unix:/proc/no.sock: "),
        (("server.bind=fd://3",), 0, "ok   configuration: built-in defaults"),
        (("limits.enabled=false",), 0, "hint provider: limits.enabled is false"),
        (("sms.weights={ log = 1 }",), 0, 'hint provider: sms.kind is "log"'),
        (("server.test_mode=true",), 0, "hint provider: server.test_mode is true"),
        (("steps.require_token=false",), 0, "hint provider: steps.require_token is false"),
        (
            (
                "ledger.kind=antelope",
                "ledger.antelope.url=http://127.0.0.1:1",
                "ledger.antelope.creator=creator",
                "ledger.antelope.private_key=5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3",
            ),
            0,
            "with keys of their own on the ledger",
        ),
        (("captcha.kind=none",), 0, 'hint provider: captcha.kind is "none"'),
        (("server.max_connections=1000000",), 0, "hint open files: only "),
        (("server.max_connections=10",), 0, "ok   open files: 10 connections are possible"),
        (("live.source=command", "live.command.argv=[]"), 1, "FAIL source: live.command.argv is empty"),
        (("live.source=command", 'live.command.argv=["/bin/sh"]'), 0, "ok   source: /bin/sh is executable"),
        (("live.source=command", 'live.command.argv=["/bin/no"]'), 1, "FAIL source: /bin/no is not an exec"),
        (("live.source=command", 'live.command.argv=["sh", "x"]'), 0, "ok   source: sh is executable"),
    ],
)
async def test_one_finding(shell: Shell, settings: tuple[str, ...], code: int, said: str) -> None:
    given = settings if any(setting.startswith("server.bind") for setting in settings) else (FREE, *settings)
    done = await shell.run("doctor", settings=given)
    assert (done.code, done.err) == (code, "")
    assert said in done.out


async def test_a_relative_executable_starts_at_the_folder_of_the_configuration(shell: Shell) -> None:
    program, file = shell.folder / "people", shell.folder / "regserver.toml"
    program.write_text("#!/bin/sh\n")
    file.write_text(
        '[server]\nbind = ["127.0.0.1:0"]\n[live]\nsource = "command"\n[live.command]\nargv = ["./people"]\n'
    )
    done = await shell.run("doctor", "--config", str(file))
    assert (done.code, "FAIL source: ./people is not an executable" in done.out) == (1, True)
    program.chmod(0o755)
    done = await shell.run("doctor", "--config", str(file))
    assert (done.code, "ok   source: ./people is executable" in done.out) == (0, True)


@pytest.mark.parametrize(("secret", "hinted"), [('password = "x"\n', True), (HASH, False)])
async def test_plain_passwords_in_a_roster(shell: Shell, secret: str, hinted: bool) -> None:
    roster = shell.folder / "people.toml"
    roster.write_text(PERSON + secret)
    done = await shell.run("doctor", settings=(FREE, f"live.file.path={roster}"))
    assert f"ok   source: {roster} has 1 people" in done.out
    assert (f"hint source: {roster} has plain passwords" in done.out) is hinted


async def test_a_certificate_that_is_well(shell: Shell) -> None:
    paper = certify(shell.folder, days=100)
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=100, hours=1)
    settings = (FREE, f"server.tls_cert={paper.certificate}", f"server.tls_key={paper.key}")
    done = await shell.run("doctor", settings=settings)
    assert done.code == 0
    assert f"ok   tls: {paper.certificate} is valid until {end:%Y-%m-%d}\n" in done.out


async def test_a_build_without_ripemd160(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regserver.cli.doctor.machine.has_ripemd160", lambda: False)
    done = await shell.run("doctor", settings=(FREE,))
    assert done.code == 1
    assert "FAIL library: OpenSSL" in done.out
    assert "has no RIPEMD-160" in done.out


async def test_all_findings_as_json_and_what_monitoring_reads(shell: Shell) -> None:
    done = await shell.run("doctor", "--json", settings=(FREE,))
    told = msgspec.json.decode(done.out)
    assert (done.code, done.err, told["status"]) == (0, "", "hint")
    assert {"part": "configuration", "level": "ok", "text": "built-in defaults"} in told["findings"]
    assert (await shell.run("doctor", "--json", "--strict", settings=(FREE,))).code == 1
    assert (await shell.run("doctor", "--strict", settings=(FREE,))).code == 1
    done = await shell.run("doctor", "--json", settings=("server.bind=192.0.2.1:80",))
    assert (done.code, msgspec.json.decode(done.out)["status"]) == (1, "fail")


async def test_offline_asks_nobody(shell: Shell) -> None:
    async with open_http_peer(lambda _: answer({})) as peer:
        asking = (FREE, "live.source=http", f"live.http.url={peer.url}")
        captcha = ("captcha.kind=hcaptcha", "captcha.secret_web=secret", f"captcha.url={peer.url}")
        done = await shell.run("doctor", "--offline", settings=(*asking, *captcha))
        assert (done.code, peer.asked) == (0, [])
        done = await shell.run("doctor", settings=(*asking, *captcha))
        assert (done.code, len(peer.asked)) == (1, 2)


async def test_what_is_well_is_said(shell: Shell) -> None:
    """A service, a mail server and a provider that answer."""
    async with (
        open_smtp_peer(accounts={"me": "right"}) as (mail, _),
        open_http_peer(_well) as peer,
    ):
        settings = (
            FREE,
            "live.source=http",
            f"live.http.url={peer.url}",
            f"mail.smtp=smtp://me:right@127.0.0.1:{mail.port}?tls=none",
            "server.public_url=http://localhost",
            "sms.kind=vonage",
            "sms.countries=*",
            "sms.vonage.api_key=key",
            "sms.vonage.api_secret=secret",
            "sms.vonage.from=reg",
            f"sms.vonage.url={peer.url}",
            "captcha.kind=turnstile",
            "captcha.secret_web=secret",
            f"captcha.url={peer.url}/captcha",
        )
        done = await shell.run("doctor", settings=settings)
        assert mail.received == []
    assert done.code == 0
    for line in (
        f"ok   source: {peer.url} answers; try it with: regserver source try USERNAME",
        f"ok   mail: 127.0.0.1:{mail.port} takes mail from regserver@localhost; try it with: regserver mail test ADDRESS",
        "ok   sms: the balance at vonage is 10.28 EUR",
        "ok   captcha: turnstile answers and knows captcha.secret_web",
    ):
        assert line in done.out.splitlines()


def _well(asked: Asked) -> Answer:
    if asked.path == "/account/get-balance":
        return answer({"value": 10.28, "autoReload": False})
    if asked.path == "/captcha":
        return answer({"success": False, "error-codes": ["invalid-input-response"]})
    return answer({}, 401)
