"""`regserver config`: what check finds, what init writes, what show hides."""

import json
import os
from pathlib import Path

import pytest

from regserver.config import load
from tests.cli.shell import Shell
from tests.system.server import run_command


async def test_check_names_the_file_and_says_that_it_is_fine(shell: Shell) -> None:
    file = shell.folder / "r.toml"
    file.write_text('[live]\nsource = "none"\n[log]\nlevel = "error"\n')
    assert await shell.run_bare("config", "check", "--config", str(file)) == (0, f"{file}: fine\n", "")


async def test_templates_are_checked(shell: Shell) -> None:
    file, template = shell.folder / "r.toml", shell.folder / "confirm.en.txt"
    file.write_text('[mail]\ntemplates = "."\n[live]\nsource = "none"\n')
    template.write_text("Subject: x\n\n{{ lnik }}\n")
    done = await shell.run_bare("config", "check", "--config", str(file))
    assert done == (2, "", f"regserver: {file}:2: mail.templates: confirm.en.txt: 'lnik' is undefined\n")
    template.write_text("Subject: x\n\n{{ link }}\n")
    assert (await shell.run_bare("config", "check", "--config", str(file))).code == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("live.file.path=nobody.toml",), "/nobody.toml: cannot be read: No such file or directory"),
        (("live.source=http",), "live.http.url: expected a URL such as"),
        (("live.source=command",), "live.command.argv: expected an executable"),
        (
            ("live.source=command", "live.command.argv=./nobody"),
            "live.command.argv: ./nobody is not an executable",
        ),
        (("mail.templates=nowhere",), "/nowhere: not a folder"),
        (("store.url=postgresql://db/x",), "store.url: expected server.key beside PostgreSQL"),
        (("server.trusted_proxies=10.0.0.0/40",), "server.trusted_proxies: expected addresses, networks"),
        (
            ("limits.routes={sign_inn = '1/1m'}",),
            "limits.routes.sign_inn: unknown limit; did you mean sign_in?",
        ),
        (("limits.routes={sign_in = 'often'}",), 'limits.routes.sign_in: expected a rate such as "60/1m"'),
        (("steps.pepper=salt",), "steps.pepper: expected at least 16 characters"),
        (("directory.trusted_key=letmein",), "directory.trusted_key: expected at least 16 characters"),
        (("steps.identity_secure_key=x",), "steps.identity_secure_key: expected at least 16 characters"),
        (('server.bind=["127.0.0.1:1", "127.0.0.1:1"]',), "server.bind: expected each address once"),
        (
            (
                "ledger.kind=antelope",
                "ledger.antelope.url=http://node",
                "ledger.antelope.creator=creator",
                "ledger.antelope.private_key=5Kno",
            ),
            "ledger.antelope: expected a private key",
        ),
    ],
)
async def test_check_refuses_what_serve_refuses(shell: Shell, settings: tuple[str, ...], said: str) -> None:
    checked = await shell.run("config", "check", settings=settings)
    assert (checked.code, checked.out) == (2, "")
    assert said in checked.err
    assert checked.err.count("\n") == 1
    given = (
        "server.bind=127.0.0.1:0",
        "log.level=error",
        f"store.url=sqlite:{shell.folder / 'x.db'}",
        *settings,
    )
    options = [word for setting in given for word in ("--set", setting)]
    served = await run_command("serve", *options, folder=Path.cwd())
    assert (served.returncode, served.stdout, served.stderr.decode()) == (2, b"", checked.err)


async def test_init_writes_every_setting_and_no_file_twice(shell: Shell) -> None:
    path = shell.folder / "new.toml"
    done = await shell.run_bare("config", "init", str(path))
    assert done == (
        0,
        f"{path}: written; change what you need and run: regserver serve --config {path}\n",
        "",
    )
    with_token = load(None, ["steps.require_token=true"], {}).settings
    assert load(path, (), {}).settings == with_token
    assert await shell.run_bare("config", "init", str(path)) == (1, "", f"regserver: {path}: File exists\n")
    assert await shell.run_bare("config", "init") == (0, path.read_text(), "")


async def test_init_writes_a_file_that_its_owner_alone_reads(shell: Shell) -> None:
    path = shell.folder / "new.toml"
    before = os.umask(0)
    try:
        await shell.run_bare("config", "init", str(path))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_certificates_are_looked_at(shell: Shell) -> None:
    pem = ("server.tls_cert=none.pem", "server.tls_key=none.pem", "live.source=none")
    done = await shell.run("config", "check", settings=pem)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "/none.pem: No such file or directory" in done.err


# Each value with its secret and what is shown of it.
MASKED = {
    "sms.http.url=https://u1:s3cr3t@sms.example/bot123456:AAbbCCddEEffGGhh/send?key=s3cr3t&to={phone}&sender=me": (
        'url = "https://u1:…@sms.example/…/send?key=…&to={phone}&sender=…"'
    ),
    "captcha.url=https://s3cr3t@captcha.example/verify?k=s3cr3t#s3cr3t": 'url = "https://…@captcha.example/verify?k=…"',
    "live.http.url=https://joe:s3cr3t@people.example/api?token=s3cr3t": (
        'url = "https://joe:…@people.example/api?token=…"'
    ),
    "ledger.antelope.url=https://node.example/s3cr3tkey0123456789ab/v1": 'url = "https://node.example/…/v1"',
    "sms.twilio.url=https://x:s3cr3t@twilio.example": 'url = "https://x:…@twilio.example"',
    'sms.http.headers={"X-Key" = "s3cr3t"}': 'headers = {"X-Key" = "…"}',
    'sms.http.body={"key": "s3cr3t", "to": "{phone}", "text": "{message}"}': (
        r'body = "{\"key\": \"…\", \"to\": \"{phone}\", \"text\": \"{message}\"}"'
    ),
    "sms.http.body=key=s3cr3t&to={phone}&text={message}": 'body = "key=…&to={phone}&text={message}"',
    "sms.http.body=<sms key='s3cr3t'>{phone}{message}</sms>": 'body = "…"',
    'live.command.argv=["/usr/bin/python3", "./people.py", "--db=postgres://u:s3cr3t@h/x", "-p", "s3cr3t", "postgres://u:s3cr3t@h"]': (
        'argv = ["/usr/bin/python3", "./people.py", "--db=postgres://u:…@h/x", "-p", "…", "postgres://u:…@h"]'
    ),
    "sms.vonage.api_key=s3cr3t": 'api_key = "…"',
    "steps.pepper=s3cr3ts3cr3ts3cr3t": 'pepper = "…"',
    "mail.smtp=smtp://joe:s3cr3t@mail:587?ca=/etc/ca.pem": 'smtp = "smtp://joe:…@mail:587?ca=/etc/ca.pem"',
}


@pytest.mark.parametrize(("setting", "shown"), MASKED.items())
async def test_show_masks_secrets_wherever_they_stand(shell: Shell, setting: str, shown: str) -> None:
    done = await shell.run("config", "show", settings=(setting, "server.public_url=https://x.org"))
    assert (done.code, done.err) == (0, "")
    assert shown in done.out.splitlines()
    assert "s3cr3t" not in done.out
    key = setting.partition("=")[0]
    assert "s3cr3t" not in repr(
        load(None, [setting, "server.public_url=https://x.org"], {}).settings
    ) or key in {
        "captcha.url",
        "live.http.url",
        "ledger.antelope.url",
        "sms.twilio.url",
        "live.command.argv",
    }


async def test_the_file_of_the_repository_is_the_one_that_init_writes(shell: Shell) -> None:
    file = Path(__file__).parents[2] / "config" / "regserver.toml"
    assert (await shell.run_bare("config", "init")).out == file.read_text()


async def test_show_hides_secrets_and_can_be_read_again(shell: Shell) -> None:
    secrets = ("live.http.bearer=hush", "mail.smtp=smtp://joe:hunter2@mail:587")
    done = await shell.run("config", "show", settings=(*secrets, "server.public_url=https://x.org"))
    assert (done.code, done.err) == (0, "")
    assert "hush" not in done.out
    assert 'smtp = "smtp://joe:…@mail:587"' in done.out
    (shell.folder / "shown.toml").write_text(done.out)
    assert load(shell.folder / "shown.toml", (), {}).settings.server.public_url == "https://x.org"


@pytest.mark.parametrize("arguments", [(), ("cheque",), ("check", "a", "b")])
async def test_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert (await shell.run("config", *arguments)).code == 2


@pytest.mark.parametrize(
    "settings",
    [
        ("store.url=sqlite:/proc/none/x.db",),
        ("server.bind=unix:/proc/none/x",),
        ("log.file=/proc/none/x",),
        ("server.tls_cert=none.pem", "server.tls_key=none.pem"),
    ],
)
async def test_what_stops_the_server_is_one_line(shell: Shell, settings: tuple[str, ...]) -> None:
    given = ("live.source=none", f"store.url=sqlite:{shell.folder / 'x.db'}", "log.level=error", *settings)
    options = [word for setting in given for word in ("--set", setting)]
    served = await run_command("serve", *options, folder=shell.folder)
    assert served.returncode in {1, 2}
    assert served.stderr.decode().startswith("regserver: ")
    assert served.stderr.count(b"\n") == 1


async def test_json_says_the_same(shell: Shell) -> None:
    file = shell.folder / "r.toml"
    file.write_text('[live]\nsource = "none"\n[login]\ntoken_ttl = "3d"\n[mail]\nfrom = "a@b.org"\n')
    named = ("--config", str(file), "--json")
    fine = await shell.run_bare("config", "check", *named)
    assert (fine.code, json.loads(fine.out)) == (0, {"fine": True, "file": str(file), "faults": []})
    shown = json.loads(
        (await shell.run_bare("config", "show", *named, "--set", "steps.pepper=s3cr3ts3cr3ts3cr3t")).out
    )
    settings = shown["settings"]
    assert (shown["file"], settings["login"]["token_ttl"], settings["mail"]["from"]) == (
        str(file),
        "3d",
        "a@b.org",
    )
    assert settings["server"]["bind"] == ["127.0.0.1:8080"]
    assert (settings["steps"]["pepper"], settings["live"]["max_running"]) == ("…", 200)

    file.write_text('[live]\nsource = "nobody"\nmax_runing = 3\n')
    told = await shell.run_bare("config", "check", "--config", str(file))
    wrong = await shell.run_bare("config", "check", *named)
    faults = json.loads(wrong.out)["faults"]
    assert (wrong.code, wrong.err, len(faults)) == (2, "", 2)
    assert told == (2, "", "".join(f"regserver: {fault}\n" for fault in faults))
    made = await shell.run_bare("config", "init", str(shell.folder / "new.toml"), "--json")
    assert json.loads(made.out)["file"] == str(shell.folder / "new.toml")
