"""The doctor's report on a new server, a running one and a broken one; and each finding alone."""

import datetime
import os
import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from regserver.adapters.server_key import load_server_key
from regserver.store.migration import migrations
from tests.cli.shell import Shell
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
    assert failing[2].startswith(f"FAIL source: {tmp_path}/roster.toml: user 1 (x): expected")


async def test_the_key_beside_the_database(shell: Shell) -> None:
    await shell.run("migrate")
    key = shell.folder / "test.key"
    done = await shell.run("doctor", settings=(FREE,))
    assert (done.code, f"FAIL store: {key} is missing" in done.out) == (1, True)
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
        (("live.source=http", "live.http.url=https://x.org"), 0, "ok   source: https://x.org; try it with"),
        (("live.source=command", "live.command.argv=[]"), 1, "FAIL source: live.command.argv is empty"),
        (("live.source=command", 'live.command.argv=["/bin/sh"]'), 0, "ok   source: /bin/sh is executable"),
        (("live.source=command", 'live.command.argv=["/bin/no"]'), 1, "FAIL source: /bin/no is not an exec"),
        (("live.source=command", 'live.command.argv=["sh", "x"]'), 0, "ok   source: sh is executable"),
        (
            ("mail.smtp=smtp://x.org", "server.public_url=https://x.org"),
            0,
            "ok   provider: mail.smtp is set; try it with: regserver mail test ADDRESS",
        ),
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


@pytest.mark.parametrize(("days", "code", "level"), [(100, 0, "ok  "), (10, 0, "hint"), (-1, 1, "FAIL")])
async def test_a_certificate_ends(shell: Shell, days: int, code: int, level: str) -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days, hours=1)
    cert = shell.folder / "cert.pem"
    cert.write_bytes(certificate(end))
    settings = (FREE, f"server.tls_cert={cert}", f"server.tls_key={cert}")
    done = await shell.run("doctor", settings=settings)
    assert (done.code, f"{level} tls: {cert} is valid until {end:%Y-%m-%d}\n" in done.out) == (code, True)


def certificate(end: datetime.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(end - datetime.timedelta(days=400)).not_valid_after(end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


async def test_a_build_without_ripemd160(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regserver.cli.doctor.has_ripemd160", lambda: False)
    done = await shell.run("doctor", settings=(FREE,))
    assert done.code == 1
    assert "FAIL library: OpenSSL" in done.out
    assert "has no RIPEMD-160" in done.out
