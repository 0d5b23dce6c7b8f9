"""The README's curl lines, pasted as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import trio

from tests.system.server import ROOT, Server, open_server

SCRIPT = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def test_the_readme_can_be_pasted(tmp_path: Path) -> None:
    blocks = SCRIPT.findall((ROOT / "README.md").read_text("utf-8"))
    assert len(blocks) == 4
    async with open_server(tmp_path) as server:
        script = "\necho; echo ---\n".join(blocks).replace("http://127.0.0.1:8080", server.url)
        with trio.fail_after(60):
            done = await trio.run_process(["bash", "-euc", script], capture_stdout=True, capture_stderr=True)
        assert done.stderr == b""
        live, rooms, steps, directory = done.stdout.decode().split("---\n")
    assert '"eventType":"NAME"' in live
    assert '"eventType":"AUTHENTICATION"' in live
    assert re.fullmatch(r'\{"postId":\d+\}\s*', rooms)
    assert '"currentState":"firstStep"' in steps
    assert '"currentState":"verify"' in steps
    assert '"openrpc"' in steps
    assert '{"exists":false}' in directory
    assert '"INIT_DONE"' in directory
    assert '"UNKOWN_USER_NAME"' in directory


async def test_it_runs_for_real_as_the_readme_says(tmp_path: Path) -> None:
    """From an empty folder; the executable is this very program, tests/packaging/binary.py tries the packed one."""
    text = (ROOT / "README.md").read_text("utf-8").partition("## Run it for real")[2]
    block = text.split("```")[1]
    make, init, serve = (line.partition("#")[0].split() for line in block.strip().splitlines())
    assert make == ["make", "binary"]
    program = tmp_path / "dist" / "regserver"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m regserver "$@"\n')
    program.chmod(0o755)
    with trio.fail_after(60):
        await trio.run_process(init, cwd=tmp_path)
        assert (tmp_path / "regserver.toml").stat().st_mode & 0o777 == 0o600
        here = [*serve, "--set", "server.bind=127.0.0.1:0", "--set", "log.format=json"]
        process = await trio.lowlevel.open_process(here, cwd=tmp_path, stderr=subprocess.PIPE)
        server = Server(process)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.read_log)
                server.url = await server.wait_serving()
                async with server.client() as client:
                    assert (await client.get("/health/ready")).json()["status"] in {"ready", "degraded"}
                assert await server.stop() == 0
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()
