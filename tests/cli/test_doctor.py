"""What the doctor says of a fresh place, a running server and a broken one."""

from pathlib import Path

from tests.system.server import open_server, run_command


async def test_a_fresh_place(tmp_path: Path) -> None:
    done = await run_command("doctor", "--set", "server.bind=127.0.0.1:0", folder=tmp_path)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert "ok   configuration: built-in defaults" in lines
    assert "ok   store: regserver.db will be made at the first start" in lines
    assert "hint source: there is no roster.toml: nobody can sign in by live registration" in lines
    assert "hint provider: mail.smtp: mail is only written to the log" in lines
    assert list(tmp_path.iterdir()) == []


async def test_a_running_server(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        bind = server.url.removeprefix("http://")
        settings = ("--set", f"server.bind={bind}", "--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
        done = await run_command("doctor", *settings, folder=tmp_path)
    assert done.returncode == 1
    assert f"FAIL address: {bind}: Address already in use" in done.stdout.decode()
    assert "is whole, schema version" in done.stdout.decode()


async def test_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "regserver.db").write_text("this is not a database, whatever it may be called")
    (tmp_path / "roster.toml").write_text("[[user]]\nusername = 'x'\n")
    settings = (
        "--set",
        "server.tls_cert=none.pem",
        "--set",
        "server.tls_key=none.pem",
        "--set",
        "server.bind=127.0.0.1:0",
    )
    done = await run_command("doctor", *settings, folder=tmp_path)
    failing = [line for line in done.stdout.decode().splitlines() if line.startswith("FAIL")]
    assert done.returncode == 1
    assert failing[0] == "FAIL store: regserver.db: file is not a database"
    assert "No such file or directory: 'none.pem'" in failing[1]
    assert failing[2].startswith("FAIL source: roster.toml: not a roster")
