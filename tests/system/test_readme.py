"""The README's curl lines, pasted as they stand."""

import re
from pathlib import Path

import trio

from tests.system.server import ROOT, open_server

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
