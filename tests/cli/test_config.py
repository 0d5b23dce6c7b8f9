"""`regserver config`: what check finds, what init writes, what show hides."""

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
    assert done == (2, "", "regserver: mail.templates: confirm.en.txt: 'lnik' is undefined\n")
    template.write_text("Subject: x\n\n{{ link }}\n")
    assert (await shell.run_bare("config", "check", "--config", str(file))).code == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("live.file.path=nobody.toml",), "nobody.toml: cannot be read: No such file or directory"),
        (("live.source=http",), "live.http.url: expected a URL such as"),
        (("live.source=command",), "live.command.argv: expected an executable"),
        (("mail.templates=nowhere",), "mail.templates: nowhere: not a folder"),
        (("store.url=postgresql://db/x",), "PostgreSQL is not supported yet"),
        (("server.trusted_proxies=10.0.0.0/40",), "server.trusted_proxies: expected addresses, networks"),
        (("limits.routes={sign_inn = '1/1m'}",), "limits.routes: unknown sign_inn; known: sign_in, "),
        (("limits.routes={sign_in = 'often'}",), 'limits.routes: expected a rate such as "60/1m"'),
        (("steps.pepper=salt",), "steps.pepper: "),
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
    served = await run_command("serve", *options, folder=shell.folder)
    assert (served.returncode, served.stdout, served.stderr.decode()) == (2, b"", checked.err)


async def test_init_writes_every_setting_and_no_file_twice(shell: Shell) -> None:
    path = shell.folder / "new.toml"
    done = await shell.run_bare("config", "init", str(path))
    assert done == (
        0,
        f"{path}: written; change what you need and run: regserver serve --config {path}\n",
        "",
    )
    assert load(path, (), {}).settings == load(None, (), {}).settings
    assert await shell.run_bare("config", "init", str(path)) == (1, "", f"regserver: {path}: File exists\n")
    assert await shell.run_bare("config", "init") == (0, path.read_text(), "")


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
